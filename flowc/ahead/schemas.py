"""The schemas of flowc/data/*.yaml, one pydantic model a file. Unknown keys are errors everywhere."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Base of all schema models."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LoweringRow(Strict):
    """What becomes of one sbatch option; the data file explains the columns."""

    action: Literal["lowered", "approximated", "ignored", "refused"]
    note: str
    quiet: bool = False
    variable: str | None = None
    value: str | None = None


class SlurmLowering(Strict):
    """flowc/data/slurm_lowering.yaml."""

    lowering: dict[str, LoweringRow]
    disk_gres: tuple[str, ...]
    gpu_share_gres: tuple[str, ...]


# File stem to the model of the whole file; a model's docstring says what the file is for.
SCHEMAS: dict[str, type[Strict]] = {
    "slurm_lowering": SlurmLowering,}
