"""What a job left behind, on whichever side it ran, and how that is made comparable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from tests.same_as_slurm.known import COMPARED, INTERNAL, VARIES

# Text of more bytes than this is kept as its length and digest.
LONG = 6000
# Lines that Slurm or flowc themselves add to a job's output; see `slurm says so itself` among the known differences.
NOTICES = re.compile(r"(?:(?:\d+: )?(?:slurmstepd|srun|scancel|scontrol|squeue|sbatch|flowc)(?:-\w+)?: )")
SCRIPT = re.compile(r"(?:/var/spool/slurmd/job\d+|/var/lib/foundry/flowc)/slurm_script")


class Outcome:
    """`tasks` holds (state in Slurm's words, exit status or None) of each task of an array in order, one pair
    otherwise; 128 + N stands for signal N. `files`: path below the working directory to content. `said`: messages of
    who refused the job. What is specific to this run is replaced: `workdir` by /workspace, job numbers `ids` by JOBID,
    those of so many `later` components of a het job by JOBID+1 and so on, host `names` (found to wanted)."""

    def __init__(
        self,
        tasks: list[tuple[str, int | None]],
        files: dict[str, bytes],
        *,
        workdir: str = "/workspace",
        ids: Iterable[str] = (),
        names: dict[str, str] | None = None,
        said: str = "",
        later: int = 0,
    ) -> None:
        self.tasks, self.files, self.workdir, self.said = tasks, files, workdir, said
        self.ids, self.names = sorted(ids, key=len, reverse=True), names or {}
        self.later = later

    def text(self, content: bytes) -> str:
        """Without what differs from run to run."""
        found = content.decode("utf-8", "surrogateescape")
        found = SCRIPT.sub("SCRIPT", found)
        found = re.sub(rf"{re.escape(self.workdir)}(?![\w-])", "/workspace", found)
        for number in self.ids if self.later else ():
            for place in range(1, self.later + 1):
                found = re.sub(rf"(?<!\d)0*{int(number) + place}(?!\d)", f"JOBID+{place}", found)
        for number in self.ids:
            found = re.sub(rf"(?<![1-9])0*{number}(?!\d)", "JOBID", found)
        if self.names:
            found = re.sub(r"(?<![\w.-])([ns]\d)(?![\w-])", lambda match: self.names.get(match[1], match[1]), found)
            found = re.sub(r"(?<![\w.-])n\[([\d,-]+)\]", self._hosts, found)
        found = re.sub(r"10\.77\.0\.\d+", "ADDRESS", found)
        return re.sub(r"(SCRIPT: line \d+): +\d+ ", r"\1: PID ", found)

    def _hosts(self, match: re.Match[str]) -> str:
        """A list of hosts such as `n[1-2,4]`, of hosts that have one name each."""
        numbers: list[int] = []
        for part in match[1].split(","):
            low, _, high = part.partition("-")
            numbers += range(int(low), int(high or low) + 1)
        wanted = sorted(int(self.names.get(f"n{number}", f"n{number}")[1:]) for number in numbers)
        runs: list[list[int]] = []
        for number in wanted:
            if runs and runs[-1][-1] == number - 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        return f"n[{','.join(f'{run[0]}-{run[-1]}' if len(run) > 1 else str(run[0]) for run in runs)}]"

    def plain(self, *, ordered: bool) -> dict[str, object]:
        """For JSON and for comparison: `tasks`, `files` (name to text), `environments` (file to variables)."""
        files: dict[str, str] = {}
        environments: dict[str, dict[str, str]] = {}
        for path, content in self.files.items():
            name = self.text(path.encode("utf-8", "surrogateescape"))
            text = self.text(content)
            if re.match(r"env\.(batch|task)", name):
                pairs = re.findall(r"(?m)^([A-Za-z_]\w*)=(.*)$", text)
                environments[name] = {
                    key: "VARIES" if key in VARIES else value
                    for key, value in sorted(pairs)
                    if COMPARED.match(key) and key not in INTERNAL
                }
                continue
            lines = [line for line in text.splitlines(keepends=True) if not NOTICES.match(line)]
            text = "".join(lines if ordered else sorted(lines))
            if len(text) > LONG:
                digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
                text = f"({len(text)} characters, sha256 {digest})"
            files[name] = text
        found: dict[str, object] = {"tasks": [list(task) for task in self.tasks], "files": files}
        if environments:
            found["environments"] = environments
        if self.said:
            found["said"] = self.said
        return found


def files_below(folder: Path) -> dict[str, bytes]:
    """Every regular file below the folder, by its relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found
