"""What a user writes into any field of any format reaches programs as it is, or is refused: none of it is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flowc.cli.options import JOB_OPTIONS
from flowc.ir.unit import Unit
from flowc.scripts.delivery import FOLDER
from flowc.scripts.storage import trees
from tests.scripts.fakes import PROGRAMS, Machine
from tests.scripts.hostile.formats import COMMAND_LINE, CONTAINED, FORMATS, Field, Format, units
from tests.some import some

# `canary` is a program of the machine: whoever runs it is caught.
RUN = (
    *("$(canary)", "`canary`", "';canary;'", '";canary;"', "\ncanary\n", "&canary&", "|canary", "<(canary)"),
    "${x:-$(canary)}",
)
ODD = (
    *("'", '"', "\\", "\n", " ", "\t", "-n", "--", "$HOME", "!", "*", "?", "~", ";", "#", "é", "😀", "{a,b}", ","),
    *(":", "=", "\nE\n", "'E'", "\r", "x"),
)
PIECES = st.sampled_from((*RUN, *ODD))
TEXTS = st.one_of(
    st.lists(PIECES, min_size=1, max_size=5).map("".join),
    st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), max_size=8),
)


class Watched(Machine):
    """A machine whose programs show the words that they were called with, each ended by NUL."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name, then in PROGRAMS.items():
            self.program(name, f"printf '%s\\0' \"$@\" >>{folder}/seen\n{then.format(folder=folder)}")
        self.program("canary", "")
        for name in ("vol_1", "vol_2"):
            (folder / f"dev/disk/by-id/virtio-{name}").touch()

    def install(self, job: Unit, *, index: int | None = None) -> None:
        """With the submitter's files, which somebody brings elsewhere."""
        super().install(job, index=index)
        for tree in trees(job.job, job.plan):
            state, name = tree.marker.rsplit("/", 1)
            folder = self.folder if state == FOLDER else self.folder / state.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    def words(self) -> set[str]:
        """All words that programs and the job were given, without our folder."""
        texts = [self.folder / name for name in ("seen", "dump")]
        data = b"".join(path.read_bytes() for path in texts if path.exists())
        return set(data.decode("utf-8", "surrogateescape").replace(str(self.folder), "").split("\0"))


def accepted(form: Format, data: st.DataObject, folder: str) -> dict[Field, str]:
    """A text for each field that takes it; flowc refuses the others."""
    drawn = {each: each.before + data.draw(TEXTS) for each in form.fields}
    found = {each: value for each, value in drawn.items() if units(form, {each: value}, folder)}
    while not units(form, found, folder):
        found.popitem()
    return found


def test_all_flags_are_tried() -> None:
    tried = {str(each.path[0]).partition("=")[0] for each in (*COMMAND_LINE.fields, *CONTAINED.fields)}
    assert tried == {option.name for option in JOB_OPTIONS}


# What texts become in the end is the same for all formats: some of them are of the ordinary suite.
@pytest.mark.parametrize("name", some(FORMATS, "slurm", "task", "skypilot", "command-line"))
# A failure shows its texts as they are: each example costs too much for hypothesis to look for a shorter one.
@settings(
    max_examples=20, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_nothing_that_a_user_writes_is_run(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    form, folder = FORMATS[name], tmp_path_factory.mktemp("m")
    values = accepted(form, data, str(folder))
    (job,) = units(form, values, str(folder)) or ()
    machine = Watched(folder)
    status = machine.run(job)
    assert machine.called("canary") == []
    assert status == 0, machine.calls
    words = machine.words()
    for each, value in values.items():
        if each.seen is not None:
            assert each.seen.format(value) in words, each.path
