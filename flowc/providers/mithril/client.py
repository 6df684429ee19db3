"""The API's resources, as far as jobs need them: lists that come in pages, rows whose keys are looked at with care.

Keys and statuses that we do not know are passed on; what we rely on is checked, and its lack is
a MalformedReplyError with the name of the key.
"""

from __future__ import annotations

from flowc.providers.errors import ConflictError, MalformedReplyError, NotFoundError, OutcomeUnknownError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from flowc.providers.mithril.calls import Calls

BIDS, VOLUMES, INSTANCES, KEYS = "/v2/spot/bids", "/v2/volumes", "/v2/instances", "/v2/api-keys"
PAGE = 100
# A list that never ends is a mistake of somebody; the largest project that is known of has some hundreds of bids.
MOST_PAGES = 100


class Client:
    """Typed as far as it goes: rows are mappings with the keys that the API's document says are always there."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def close(self) -> None:
        """Give back the connections."""
        self._calls.close()

    def me(self) -> dict[str, Any]:
        """Whose key it is."""
        return self._row(self._calls.get("/v2/me"), "/v2/me", "fid")

    def projects(self) -> list[dict[str, Any]]:
        """The projects of the key: `fid` and `name`."""
        return self._rows(self._calls.get("/v2/projects"), "/v2/projects", "fid", "name")

    def ssh_keys(self, project: str) -> list[dict[str, Any]]:
        """The keys of a project: `fid`, `name`, `public_key`, `required`."""
        found = self._calls.get("/v2/ssh-keys", {"project": project})
        return self._rows(found, "/v2/ssh-keys", "fid", "name")

    def instance_types(self) -> list[dict[str, Any]]:
        """The types that have a market: `fid`, `name`. One name may have several ids, one a region."""
        return self._rows(self._calls.get("/v2/instance-types"), "/v2/instance-types", "fid", "name")

    def availability(self, project: str | None = None) -> list[dict[str, Any]]:
        """The markets: `instance_type` (an id), `region`, `capacity`, `last_instance_price`."""
        path = "/v2/spot/availability"
        return self._rows(self._calls.get(path, {"project": project}), path, "instance_type", "region")

    def price(self, instance_type: str, region: str, quantity: int) -> dict[str, Any]:
        """Today's prices of a type (an id) in a region, in cents; all keys may be missing."""
        path = "/v2/pricing/current"
        query = {"instance_type": instance_type, "region": region, "instance_quantity": str(quantity)}
        return self._row(self._calls.get(path, query), path)

    def quotas(self, project: str) -> list[dict[str, Any]]:
        """What the project may use: `instance_type` (id or null), `product_type`, `total_quantity`, `used_quantity`."""
        found = self._calls.get("/v2/quotas", {"project": project})
        return self._rows(found, "/v2/quotas", "product_type", "total_quantity", "used_quantity")

    def clusters(self, project: str) -> list[dict[str, Any]]:
        """The Kubernetes clusters of a project: `fid`, `name`."""
        path = "/v2/kubernetes/clusters"
        return self._rows(self._calls.get(path, {"project": project}), path, "fid", "name")

    def volumes(self, project: str, region: str | None = None) -> list[dict[str, Any]]:
        """The volumes of a project that are not deleted: `fid`, `name`, `region`, `capacity_gb`, `interface`."""
        found = self._calls.get(VOLUMES, {"project": project, "region": region})
        rows = self._rows(found, VOLUMES, "fid", "name", "region")
        return [row for row in rows if row.get("deleted_at") is None]

    def create_volume(self, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Raises OutcomeUnknownError where it may have been made."""
        return self._made(VOLUMES, body, key)

    def delete_volume(self, fid: str) -> None:
        """One that is gone is no error."""
        self._gone(f"{VOLUMES}/{fid}")

    def bids(self, *, project: str | None = None, name: str | None = None, status: str | None = None) -> Iterator[Any]:
        """The bids, newest first. Rows have `fid`, `name`, `status`, `created_at`, `instances`."""
        query = {"project": project, "name": name, "status": status, "sort_by": "created_at", "sort_dir": "desc"}
        return self._pages(BIDS, query, "fid", "name", "status")

    def bid(self, fid: str) -> dict[str, Any]:
        """Raises NotFoundError."""
        return self._row(self._calls.get(f"{BIDS}/{fid}"), BIDS, "fid", "name", "status")

    def create_bid(self, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Raises OutcomeUnknownError where it may have been made."""
        return self._made(BIDS, body, key)

    def change_bid(self, fid: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Pause, limit price, volumes or memory; doing so twice is as once."""
        return self._row(self._calls.patch(f"{BIDS}/{fid}", changes), BIDS, "fid", "status")

    def cancel_bid(self, fid: str) -> None:
        """End a bid and its machines; one that is gone is no error."""
        try:
            self._gone(f"{BIDS}/{fid}")
        except ConflictError:
            if self.bid(fid)["status"] != "Terminated":
                raise

    def instances(self, project: str, bids: tuple[str, ...] = ()) -> Iterator[Any]:
        """The machines of a project, or of some bids of it: `fid`, `status`, `bid`, `ssh_destination`, `private_ip`."""
        query = {"project": project, "bid_fid_in": ",".join(bids) or None}
        return self._pages(INSTANCES, query, "fid", "status")

    def keys(self) -> list[dict[str, Any]]:
        """The API keys of the user that hold: `fid`, `name`."""
        rows = self._rows(self._calls.get(KEYS), KEYS, "fid", "name")
        return [row for row in rows if row.get("deactivated_at") is None]

    def create_key(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """An API key, `secret`, which is told this once. Raises OutcomeUnknownError where it may have been made."""
        row = self._made(KEYS, body, None)
        if not isinstance(row.get("secret"), str):
            raise OutcomeUnknownError(f"the reply of {KEYS} has no `secret`")
        return row

    def revoke_key(self, fid: str) -> None:
        """One that is gone is no error."""
        self._gone(f"{KEYS}/{fid}")

    def _made(self, path: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """What was made. A reply that does not say what it is does not say that there is nothing either."""
        try:
            return self._row(self._calls.post(path, body, key=key), path, "fid", "name")
        except MalformedReplyError as error:
            raise OutcomeUnknownError(error.message, request_id=error.request_id) from None

    def _gone(self, path: str) -> None:
        try:
            self._calls.delete(path)
        except NotFoundError:
            return

    def _pages(self, path: str, query: Mapping[str, str | None], *keys: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._calls.get(path, {**query, "limit": str(PAGE), "next_cursor": cursor})
            page = self._row(page, path, "data")
            yield from self._rows(page["data"], path, *keys)
            cursor = page.get("next_cursor")
            if not cursor:
                return
            if not isinstance(cursor, str) or cursor in seen:
                raise MalformedReplyError(f"the pages of {path} go round in a circle")
            seen.add(cursor)
        raise MalformedReplyError(f"{path} has more than {MOST_PAGES} pages")

    def _rows(self, found: object, path: str, *keys: str) -> list[dict[str, Any]]:
        if not isinstance(found, list):
            raise MalformedReplyError(f"the reply of {path} is no list")
        return [self._row(each, path, *keys) for each in found]

    def _row(self, found: object, path: str, *keys: str) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise MalformedReplyError(f"the reply of {path} is no object")
        for key in keys:
            if key not in found or (key in ("fid", "name", "status") and not isinstance(found[key], str)):
                raise MalformedReplyError(f"the reply of {path} has no `{key}`")
        return found
