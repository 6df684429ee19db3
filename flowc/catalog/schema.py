"""The form of a catalog file, as pydantic models. Imported only where an untrusted catalog is read: pydantic
takes long."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from flowc.catalog.model import MITHRIL

Usd = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
REGION = r"^[a-z]+-[a-z]+[0-9]+-[a-z]$"
Region = Annotated[str, Field(pattern=REGION)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Count = Annotated[int, Field(ge=1, le=100_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Fid = Annotated[str, Field(pattern=r"^it_[A-Za-z0-9]+$")]


class OfferRow(_Strict):
    """Where an instance type is sold, under which id, and the prices seen there (USD per instance-hour): by whom
    (`source`), and when, where that is not the day of the whole catalog. `winning_usd` is the lowest limit that has
    machines, `available` how many have no bid. Jobs are put on no other cloud than mithril."""

    cloud: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")] = MITHRIL
    region: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    fid: Fid | None = None
    minimum_usd: Usd | None = None
    market_usd: Usd | None = None
    winning_usd: Usd | None = None
    available: Annotated[int, Field(ge=0)] | None = None
    offered: bool = True
    source: Annotated[str, Field(max_length=200)] | None = None
    as_of: Day | None = None

    @field_validator("region")
    @classmethod
    def _has_the_form_of_its_cloud(cls, region: str, info: ValidationInfo) -> str:
        if info.data.get("cloud") == MITHRIL and not re.fullmatch(REGION, region):
            raise ValueError(f"a region of {MITHRIL} looks like us-central1-a")
        return region


class InstanceTypeRow(_Strict):
    """One instance type. `gpu_memory_gb` is that of one GPU; None: nobody says, and it satisfies no
    request."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    aliases: tuple[str, ...] = ()
    former_fids: tuple[Fid, ...] = ()
    family: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9-]+$")]
    gpus: Count
    gpu_memory_gb: Count
    form: Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
    cpus: Count | None = None
    memory_gb: Count | None = None
    disk_gb: Annotated[int, Field(ge=0)] | None = None
    offers: tuple[OfferRow, ...]


class CatalogFile(_Strict):
    """A whole catalog: the day it was read, the regions there are, and the instance types. `seal` is that of the copy
    which `flowc catalog refresh` writes."""

    seal: str | None = None
    as_of: Day
    regions: tuple[Region, ...]
    instance_types: Annotated[tuple[InstanceTypeRow, ...], Field(min_length=1)]
