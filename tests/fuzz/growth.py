"""`python -m tests.fuzz.growth [SHAPE…]`: how the time of a check grows with the input, for shapes that could be
quadratic.

Prints a table; doubling the input should double the time. No test asserts it, since a busy machine would fail
it.
"""

from __future__ import annotations

import sys
import time

import flowc

SHAPES = {
    "long body": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1 --time=10\n" + b"echo hello $USER\n" * n,
    "one long line": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1 --time=10\necho " + b"x y " * (4 * n),
    "comment lines": lambda n: b"#!/bin/bash\n" + b"# a comment line\n" * n,
    "good directives": lambda n: b"#!/bin/bash\n" + b"#SBATCH --gpus=1\n" * n + b"true\n",
    "unknown options": lambda n: b"#!/bin/bash\n" + b"#SBATCH --nosuch=1\n" * n,
    "stray words": lambda n: b"#!/bin/bash\n#SBATCH " + b"word " * (3 * n),
    "dead directives": lambda n: b"#!/bin/bash\ntrue\n" + b"#SBATCH --gpus=1\n" * n,
    "one long value": lambda n: b"#!/bin/bash\n#SBATCH --comment=" + b"a" * (16 * n) + b" --gpus=1\ntrue\n",
    "escapes": lambda n: b"#!/bin/bash\n#SBATCH --comment=" + b"\\a" * (8 * n) + b" --gpus=1\ntrue\n",
    "array list": lambda n: b"#!/bin/bash\n#SBATCH --array=" + b"1," * (8 * n) + b"2 --gpus=1\ntrue\n",
    "het components": lambda n: b"#!/bin/bash\n" + b"#SBATCH --gpus=1\n#SBATCH hetjob\n" * (n // 2) + b"\ntrue\n",
    "heredocs": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1\n" + b"cat <<A\n#SBATCH -N9\nA\n" * n,
    "quotes": lambda n: b"#!/bin/bash\n#SBATCH " + b"'" * (16 * n),
    "gres list": lambda n: b"#!/bin/bash\n#SBATCH --gres=" + b",".join(b"g%d:1" % at for at in range(n)) + b"\ntrue\n",
    "long host name": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1 -w n" + b"1" * (16 * n) + b"x\ntrue\n",
    "host brackets": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1 -w " + b"n[1-2]" * (3 * n) + b"\ntrue\n",
    "hint": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1 --hint=" + b"a," * (8 * n) + b"\ntrue\n",
    "full directives": lambda n: b"#!/bin/bash\n" + b"#SBATCH -N2 -n2 --mem=3G -J x -o y\n" * n + b"true\n",
    "separators alone": lambda n: b"#!/bin/bash\n" + b"#SBATCH hetjob\n" * n + b"true\n",
    "em dashes": lambda n: b"#!/bin/bash\n" + "#SBATCH \u2014nodes=2\n".encode() * n + b"true\n",
    "indented": lambda n: b"#!/bin/bash\n" + b" #SBATCH -N2\n" * n + b"true\n",
    "misspelt": lambda n: b"#!/bin/bash\n" + b"#SBACTH -N2\n" * n + b"true\n",
    "open heredocs": lambda n: (
        b"#!/bin/bash\n#SBATCH --gpus=1\n" + b"".join(b"cat <<A%d\nsrun a\n" % at for at in range(n))
    ),
    "commands": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1\n" + b"# srun a\n" * n + b"echo " + b"srun " * n,
    "guards": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1\n" + b"if command -v srun; then srun; fi\n" * n,
    "quoted variables": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1\n" + b"echo '$SLURM_NTASKS " * n,
    "gaps": lambda n: b"#!/bin/bash\n#SBATCH --gpus=1 --comment=" + b"{{<your_" * n + b"\n",
    "one long word": lambda n: b"#!/bin/bash\necho $one\n: <<'E'\n" + b"a1" * (8 * n) + b"\nE\n",
    "long words": lambda n: b"#!/bin/bash\necho $one\n" + (b"a1" * 40 + b"\n") * (n // 5),
    "open brackets": lambda n: b"#!/bin/bash\necho $one\n" + b"a[" * (8 * n),
    "open braces": lambda n: b"#!/bin/bash\n" + b"${a" * (5 * n),
    "open parentheses": lambda n: b"#!/bin/bash\n" + b"$((a" * (4 * n),
    "backquotes": lambda n: b"#!/bin/bash\n" + b"`a " * (5 * n),
    "slashes": lambda n: b"#!/bin/bash\necho $one\n" + b"/a" * (8 * n),
    "minus signs": lambda n: b"#!/bin/bash\necho $one\n" + b"-" * (16 * n),
    "spaces": lambda n: b"#!/bin/bash\necho $one\n" + b" " * (16 * n) + b"x\n",
    "pipes": lambda n: b"#!/bin/bash\necho $one\n" + b"a | " * (4 * n) + b"x\n",
    "assignments": lambda n: b"#!/bin/bash\n" + b"a=b " * (4 * n) + b"x $one\n",
    "variables": lambda n: b"#!/bin/bash\necho " + b"$a1 " * (4 * n) + b"x\n",
    "many variables": lambda n: b"#!/bin/bash\n" + b"".join(b"echo $v%d\n" % at for at in range(n)),
    "many paths": lambda n: b"#!/bin/bash\n" + b"".join(b"cat /data/v%d/x.txt\n" % at for at in range(n)),
    "base64": lambda n: b"#!/bin/bash\necho $one\n" + b"QUJDREVG" * (2 * n) + b"\n",
    "continued": lambda n: b"#!/bin/bash\necho $one " + b"a \\\n" * (4 * n) + b"x\n",
    "functions": lambda n: b"#!/bin/bash\n" + b"f() { echo $one; }\n" * n,
    "srun lines": lambda n: b"#!/bin/bash\n#SBATCH -N2 --gpus-per-node=8 --time=10\n" + b"srun -n2 ./a\n" * n,
    "carriage returns": lambda n: b"#!/bin/bash\r\n" * n,
}


def seconds(data: bytes) -> float:
    start = time.perf_counter()
    flowc.check(data)
    return time.perf_counter() - start


def main() -> None:
    chosen = sys.argv[1:] or list(SHAPES)
    seconds(b"#!/bin/bash\n#SBATCH --gpus=1 --time=10\ntrue\n")
    print(f"{'shape':<18}{'1x (about 150 KB)':>18}{'2x':>10}{'4x':>10}   growth at the last doubling")
    for name in chosen:
        build = SHAPES[name]
        times = [seconds(build(10_000 * factor)) for factor in (1, 2, 4)]
        print(f"{name:<18}{times[0]:>17.3f}s{times[1]:>9.3f}s{times[2]:>9.3f}s   {times[2] / times[1]:.1f}")


if __name__ == "__main__":
    main()
