"""This computer as a provider: bids become tasks in local machines, each kept by a process of its own that outlives the
command (`supervisor`). `provider` is what commands use, `tasks` what stands on disk."""

from flowc.providers.local.kinds import Wish
from flowc.providers.local.provider import Local

__all__ = ["Local", "Wish"]
