"""`python -m flowc`: the same as the command `flowc`."""

from __future__ import annotations

import sys

from flowc.cli import main

if __name__ == "__main__":
    sys.exit(main())
