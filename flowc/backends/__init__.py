"""The targets that flowc emits. The tuple is the registry."""

from __future__ import annotations

from flowc.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.backends.base import Backend


class Entry(Record):
    """A line of the registry: `module` holds `BACKEND` and is imported only when that target is asked for."""

    name: str
    module: str
    summary: str

    def load(self) -> Backend:
        module = __import__(self.module, fromlist=["BACKEND"])
        backend: Backend = module.BACKEND
        return backend


BACKENDS = (
    Entry(name="mithril", module="flowc.backends.mithril", summary="the provider's requests (JSON)"),
    Entry(name="script", module="flowc.backends.script", summary="the startup script as a person reads it"),
    Entry(name="cloud-init", module="flowc.backends.cloud_init", summary="user data for a plain cloud"),
)
