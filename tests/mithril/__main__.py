"""The provider by hand: `python -m tests.mithril --port 0 --speed 60`.

Prints what a client needs as shell assignments and serves until it is interrupted. Each line on stdin is a command:
`advance MINUTES`, `preempt BID`, `relocate BID`, `bids` (each with its status and cost); a BID is a name or an FID.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress

from tests.mithril.parts.model import Bid
from tests.mithril.server import Server
from tests.mithril.state import State


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mithril", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=float, default=0, help="seconds of the provider in one real one (default: 0)")
    options = parser.parse_args()
    with Server(port=options.port, speed=options.speed) as server:
        print(f"MITHRIL_API_URL={server.url}\nMITHRIL_API_KEY={server.key}", flush=True)
        with suppress(KeyboardInterrupt):
            for line in sys.stdin:
                print(obey(server.state, line.split()), flush=True)
            server.stopped.wait()  # stdin is closed: it serves on
    return 0


def obey(state: State, words: list[str]) -> str:
    """Does what a line says, and tells what is so now, or why it cannot be."""
    try:
        match words:
            case ["advance", minutes]:
                state.clock.advance(minutes=float(minutes))
                return state.clock.now.isoformat()
            case ["preempt", name]:
                state.preempt(_bid(state, name))
                return _bid(state, name).status
            case ["relocate", name]:
                state.relocate(_bid(state, name))
                return "Relocating"
            case ["bids"]:
                rows = [
                    f"{each.fid} {each.name} {each.status} ${float(state.cost(each)):.2f}"
                    for each in state.bids.values()
                ]
                return "\n".join(rows) or "none"
    except (ValueError, KeyError) as error:
        return f"no: {error}"
    return "advance MINUTES | preempt BID | relocate BID | bids"


def _bid(state: State, name: str) -> Bid:
    return state.bids[name] if name in state.bids else state.bid_named(name)


if __name__ == "__main__":
    raise SystemExit(main())
