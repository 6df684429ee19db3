"""The form of a catalog file, as pydantic models. Imported only where an untrusted catalog is read: pydantic
takes long."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Usd = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
Region = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]+-[a-z]$")]
Count = Annotated[int, Field(ge=1, le=100_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Fid = Annotated[str, Field(pattern=r"^it_[A-Za-z0-9]+$")]


class OfferRow(_Strict):
    """Where an instance type is sold, under which id, and the prices seen there (USD per instance-hour)."""

    region: Region
    fid: Fid | None = None
    minimum_usd: Usd | None = None
    market_usd: Usd | None = None
    offered: bool = True


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
    """A whole catalog: the day it was read, the regions there are, and the instance types."""

    as_of: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    regions: tuple[Region, ...]
    instance_types: Annotated[tuple[InstanceTypeRow, ...], Field(min_length=1)]
