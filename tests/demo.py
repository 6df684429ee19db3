"""`make demo`: one real job through every stage, as a user would type it.

The lines that are shown are flowc's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FLOWC = Path(sys.executable).with_name("flowc")


WIDTH = 160


def show(title: str, *words: str, lines: int | None = None) -> None:
    """Print a command and its standard output; `lines` cuts a long one. Diagnostics are `check`'s to show."""
    print(f"\n\033[1m# {title}\033[0m" if sys.stdout.isatty() else f"\n# {title}")
    print(f"$ flowc {' '.join(words)}", flush=True)
    done = subprocess.run([FLOWC, *words], capture_output=True, text=True, check=False)
    text = done.stdout.splitlines()
    for line in text[:lines]:
        print(line if len(line) <= WIDTH else f"{line[:WIDTH]}… ({len(line):,} characters)")
    if lines is not None and len(text) > lines:
        print(f"… {len(text) - lines} more lines")
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)


def main(job: str) -> None:
    print(f"$ cat {job}")
    print(Path(job).read_text(), end="")
    show("What is wrong or surprising about it", "check", job)
    show("Which machine, and what it may cost", "compile", job, "--emit", "plan")
    show("The request to the provider", "compile", job, lines=60)
    show("The startup script, readable", "compile", job, "--emit", "script", lines=60)
    show("A job with mistakes", "check", str(Path(job).parents[1] / "errors-galore" / "input.sbatch"))
    print("\nNext: .venv/bin/flowc compile YOUR-JOB.sbatch")


if __name__ == "__main__":
    main(sys.argv[1])
