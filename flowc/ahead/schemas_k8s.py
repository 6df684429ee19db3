"""Schemas of the data files of the k8s frontend that are not tables of fields."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator


class MachineType(BaseModel):
    """An instance type of another cloud: `like` is a pattern (full match) for its name, `model` its GPUs; `gpus` is how
    many, or a template of the pattern's groups (`\\1`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    like: str
    model: str
    gpus: int | str

    @model_validator(mode="after")
    def _pattern_is_sound(self) -> Self:
        pattern = re.compile(self.like)
        if isinstance(self.gpus, str) and pattern.groups < 1:
            raise ValueError(f"{self.like} has no group for the number of GPUs")
        return self


class KubernetesGpus(BaseModel):
    """flowc/data/k8s_gpus.yaml; the data file explains the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpu_resource: str
    gpu_aliases: tuple[str, ...]
    model_labels: dict[str, dict[str, str]]
    family_labels: dict[str, dict[str, str]]
    memory_labels: tuple[str, ...]
    count_labels: tuple[str, ...]
    major_labels: dict[str, dict[str, str]]
    machine_labels: tuple[str, ...]
    market_labels: dict[str, dict[str, str]]
    refused_labels: dict[str, str]
    part_labels: tuple[str, ...]
    silent_labels: tuple[str, ...]
    machines: tuple[MachineType, ...]
    other_makers: dict[str, str]
    network_cards: tuple[str, ...]
    shared_resources: tuple[str, ...]
    counted_parts: dict[str, int]
    proxies: tuple[str, ...]
    queue_labels: tuple[str, ...]


class TrainerRuntime(BaseModel):
    """How a runtime of Kubeflow's trainer starts its pods, and their image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: Literal["torch", "jax", "xgboost", "mpi", "flux"]
    image: str


class KubernetesRuntimes(BaseModel):
    """flowc/data/k8s_runtimes.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runtimes: dict[str, TrainerRuntime]
