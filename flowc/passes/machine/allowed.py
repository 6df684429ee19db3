"""Whether a policy allows a machine."""

from __future__ import annotations

from flowc.patterns import is_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.catalog.model import Offer
    from flowc.ir.policy import Only, Policy


def forbidden_by(offer: Offer, policy: Policy) -> Only | None:
    """The first rule that does not allow it."""
    for only in policy.regions:
        if not any(is_like(offer.region, name) for name in only.names):
            return only
    for only in policy.types:
        from flowc.catalog.find import is_named

        if not any(is_named(offer, name) for name in only.names):
            return only
    return None


def is_allowed(offer: Offer, policy: Policy | None) -> bool:
    return policy is None or forbidden_by(offer, policy) is None
