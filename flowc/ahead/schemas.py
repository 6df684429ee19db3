"""The schemas of flowc/data/*.yaml, one pydantic model a file. Unknown keys are errors everywhere."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Base of all schema models."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# File stem to the model of the whole file; a model's docstring says what the file is for.
SCHEMAS: dict[str, type[Strict]] = {}
