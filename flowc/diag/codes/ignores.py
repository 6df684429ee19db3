"""FC010-FC012: comments of a source that say which findings are not to be shown."""

from __future__ import annotations

from flowc.diag.code import Code

_HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --gpus=h100:8\n"
_GOOD = f"{_HEAD}# flowc: ignore[FC820] it is made by the setup\nls /scratch/run\n"

UNUSED_IGNORE = Code(
    id="FC010",
    name="unused-ignore",
    severity="warning",
    title="nothing is found here that {words} would be",
    explain="""\
The comment hides findings that there are none of: the line was mended, or flowc has learnt better. Left where it is, it
would hide the next one of that kind.

`flowc check --fix` removes it.""",
    bad=f"{_HEAD}# flowc: ignore[FC820]\nhostname\n",
    good=_GOOD,
    stops=False,
)

UNKNOWN_IGNORE = Code(
    id="FC011",
    name="unknown-ignore",
    severity="warning",
    title="`{word}` is no code and no name of one",
    explain="""\
A comment says which findings are not to be shown, by their codes (FC820) or by their names. This one names none that
there is, so it hides nothing.

Write what stands in the brackets of the finding; `flowc explain --all` lists them.""",
    bad=f"{_HEAD}hostname  # flowc: ignore[FC999]\n",
    good=_GOOD,
    stops=False,
)

IGNORE_WITHOUT_CODE = Code(
    id="FC012",
    name="ignore-without-code",
    severity="warning",
    title="which finding is to be ignored is not said",
    explain="""\
A comment that hides whatever is found would hide the next mistake too, so it hides nothing.

Name the codes: `# flowc: ignore[FC820]`, several with commas between.""",
    bad=f"{_HEAD}hostname  # flowc: ignore\n",
    good=_GOOD,
    stops=False,
)
