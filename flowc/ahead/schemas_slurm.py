"""Models of the data files about the small Slurm: its features, and the words of Slurm's programs."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field, model_validator


class Strict(BaseModel):
    """Base of these models."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _split(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Option = Annotated[str, Field(pattern=r"^[A-Za-z-][=?.][a-zA-Z][\w-]*$")]
OptionWords = Annotated[tuple[Option, ...], BeforeValidator(_split)]


class SlurmPrograms(Strict):
    """flowc/data/slurm_programs.yaml."""

    names: dict[str, tuple[str, ...]]
    alone: Words
    needs: dict[str, str]
    common: Words
    inherited: dict[str, str]


class Told(Strict):
    """A word about whose values something is said."""

    says: str
    values: str | None = None
    names: Words = ()

    @model_validator(mode="after")
    def _is_expression(self) -> Told:
        re.compile(self.values or "")
        return self


class ToldOption(Told):
    """The same of an option."""

    option: Option
    done: bool = False


class Decided(Strict):
    """Names by what becomes of them."""

    done: Words = ()
    refused: Words = ()


class Read(Strict):
    """Variables that a program reads."""

    options: dict[str, str] = {}
    done: Words = ()
    needless: Words = ()
    told: dict[str, Told] = {}


class Sets(Strict):
    """Variables that a program sets."""

    done: Words
    absent: dict[str, str]


class ProgramWords(Strict):
    """The words of one program; the data file explains the states."""

    done: OptionWords = ()
    picks: OptionWords = ()
    rare: OptionWords = ()
    needless: OptionWords = ()
    told: dict[str, ToldOption] = {}
    refused: OptionWords = ()
    commands: Decided = Decided()
    shows: Decided = Decided()
    changes: Decided = Decided()
    reads: Read
    sets: Sets | None = None

    @model_validator(mode="after")
    def _each_is_decided_once(self) -> ProgramWords:
        told = [row.option for row in self.told.values()]
        names = [word[2:] for word in (*self.done, *self.picks, *self.rare, *self.needless, *told, *self.refused)]
        reads = self.reads
        variables = [*reads.options, *reads.done, *reads.needless, *reads.told]
        sets = [*self.sets.done, *self.sets.absent] if self.sets else []
        for row in (names, variables, sets):
            for name in row:
                if row.count(name) > 1:
                    raise ValueError(f"{name} has two states")
        for name, row_ in self.told.items():
            if row_.option[2:] != name:
                raise ValueError(f"{name} is written {row_.option}")
        for name, option in reads.options.items():
            if option not in names:
                raise ValueError(f"{name} stands for {option}, which is no option")
        return self


class SlurmWords(Strict):
    """flowc/data/slurm_words.yaml; `options` and `variables` are the tables that the small Slurm is made of."""

    programs: dict[str, ProgramWords]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def options(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """What each program takes: in every job (`always`), where more may be asked for (`picks`), and what is seldom
        asked for (`rare`). Those of srun are all in `always`."""
        found: dict[str, Any] = {}
        for name, each in self.programs.items():
            always = (*each.done, *(row.option for row in each.told.values()))
            if name == "srun":
                found[name] = {"always": (*always, *each.needless)}
            elif always:
                found[name] = {"always": always, "picks": each.picks, "rare": (*each.rare, *each.needless)}
        return found

    @computed_field  # type: ignore[prop-decorator]
    @property
    def variables(self) -> dict[str, str]:
        """Variables that srun reads in the place of an option that it does something about."""
        srun = self.programs["srun"]
        done = {word[2:] for word in (*srun.done, *(row.option for row in srun.told.values() if row.done))}
        return {name: option for name, option in srun.reads.options.items() if option in done}


Release = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}$")]


class ReleaseRule(Strict):
    """What holds from a release on; the data file explains the columns."""

    about: str
    since: Release
    until: Release | None = None
    beside: tuple[str, ...] = ()


class ReleaseVariable(Strict):
    """A variable of the batch step in some releases; the data file explains the columns."""

    name: str
    since: Release
    until: Release | None = None
    value: str | None = None
    all: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_one_kind(self) -> ReleaseVariable:
        if sum(map(bool, (self.value, self.all, self.first))) != 1:
            raise ValueError(f"{self.name}: one of value, all and first")
        return self


class Meaning(Strict):
    """What a script means before and since a release."""

    since: Release
    before: str
    after: str


class SlurmReleases(Strict):
    """flowc/data/slurm_releases.yaml."""

    default: Release
    answers: dict[Release, str]
    rules: dict[str, ReleaseRule]
    variables: tuple[ReleaseVariable, ...]
    gone: dict[str, Release]
    meanings: dict[str, Meaning]
