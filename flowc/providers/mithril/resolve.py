"""What only the live API knows of a request document, put into it before anything is made; and what would go wrong.

Reads only. What it finds is final: the document that comes out is what the journal keeps and what is sent.
"""

from __future__ import annotations

import copy

from flowc._compiled.limits import SCRIPT_BYTES
from flowc.providers.base import Resolution
from flowc.providers.errors import InsufficientQuotaError, ProviderError, ValidationError
from flowc.providers.mithril.money import dollars, of_cents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal
    from typing import Any

    from flowc.providers.mithril.client import Client


class Resolver:
    """Looks up what a document refers to. Whatever is asked twice is fetched once."""

    def __init__(self, client: Client, *, project: str | None, ssh_keys: tuple[str, ...] = ()) -> None:
        self._client = client
        self._wanted_project = project
        self._wanted_keys = ssh_keys
        self._kept: dict[str, Any] = {}
        self._warnings: list[str] = []

    def run(self, document: Mapping[str, Any]) -> Resolution:
        """Raises ProviderError for what cannot be resolved or would be refused."""
        found = copy.deepcopy(dict(document))
        projects: dict[str, str] = {}
        market: Decimal | None = None
        creating = {
            request["unless"]
            for request in found["requests"]
            if request["path"] == "/v2/volumes" and request.get("unless")
        }
        for request in found["requests"]:
            body = request["body"]
            if "project" not in body:
                continue
            reference = body["project"]
            if reference not in projects:
                projects[reference] = self._project(_name(reference, "project") or reference)
            body["project"] = projects[reference]
            if request["path"] == "/v2/spot/bids":
                self._bid(body, creating)
                price = self._prices(body)
                if price is not None:
                    market = (market or price * 0) + price
        found["unresolved"] = sorted(creating)
        if len(set(projects.values())) != 1:
            raise ValidationError("the jobs are of several projects", help="submit those of each project apart")
        return Resolution(
            document=found,
            known={},
            warnings=tuple(dict.fromkeys(self._warnings)),
            market_usd=market,
        )

    def _bid(self, body: dict[str, Any], creating: set[str]) -> None:
        launch = body["launch_specification"]
        script = launch.get("startup_script") or ""
        if len(script.encode()) > SCRIPT_BYTES:
            raise ValidationError(f"the startup script of {body['name']} has more than {SCRIPT_BYTES:,} bytes")
        project = body["project"]
        body["instance_type"] = self._type(body)
        launch["ssh_keys"] = self._keys(project, launch["ssh_keys"])
        launch["volumes"] = [
            each if each in creating else self._volume(project, each, body) for each in launch["volumes"]
        ]
        if "kubernetes_cluster" in launch:
            rows = self._get(f"clusters {project}", lambda: self._client.clusters(project))
            wanted = _name(launch["kubernetes_cluster"], "kubernetes_cluster") or str(launch["kubernetes_cluster"])
            launch["kubernetes_cluster"] = self._one(rows, wanted, "Kubernetes cluster")
        self._quota(body)

    def _project(self, name: str) -> str:
        rows = self._get("projects", self._client.projects)
        wanted = self._wanted_project if name == "default" else name
        if wanted is not None:
            return self._one(rows, wanted, "project")
        if len(rows) == 1:
            return str(rows[0]["fid"])
        if not rows:
            raise ValidationError("the key belongs to no project", help="make one in the provider's console")
        raise ValidationError(f"which project pays? {_names(rows)}", help="say so with --project or MITHRIL_PROJECT")

    def _keys(self, project: str, references: list[str]) -> list[str]:
        """Those that are asked for, then those that the project requires of every bid; each once."""
        rows = self._get(f"keys {project}", lambda: self._client.ssh_keys(project))
        wanted = [_name(reference, "ssh_key") or reference for reference in references]
        names = [each for each in wanted if each != "default"] or list(self._wanted_keys)
        found = [self._one(rows, name, "SSH key") for name in names]
        found += [str(row["fid"]) for row in rows if row.get("required")]
        if not found and len(rows) == 1:
            found = [str(rows[0]["fid"])]
        if found:
            return list(dict.fromkeys(found))
        if not rows:
            raise ValidationError(
                "the project has no SSH key, and a bid needs one", help="add yours in the provider's console"
            )
        raise ValidationError(f"which SSH key may log in? {_names(rows)}", help="say so with --ssh-key")

    def _volume(self, project: str, reference: str, body: Mapping[str, Any]) -> str:
        name = _name(reference, "volume")
        if name is None:
            return reference
        rows = self._get(f"volumes {project}", lambda: self._client.volumes(project))
        same = [row for row in rows if name in (row["name"], row["fid"])]
        if not same:
            raise ValidationError(f"there is no volume `{name}` in this project", help=f"there are: {_names(rows)}")
        here = [row for row in same if row["region"] == body["region"]]
        if not here:
            raise ValidationError(
                f"volume `{name}` is in {same[0]['region']}, the job would run in {body['region']}",
                help=f"run it there with --region {same[0]['region']}",
            )
        return str(here[0]["fid"])

    def _type(self, body: Mapping[str, Any]) -> str:
        """The id of a type in the bid's region: of several with one name the one that has a market there."""
        wanted = _name(body["instance_type"], "instance_type")
        if wanted is None:
            return str(body["instance_type"])
        name = wanted.rpartition("@")[0]
        region = body["region"]
        types = [row["fid"] for row in self._types() if row["name"] == name]
        markets = [row for row in self._markets() if row["instance_type"] in types]
        here = [row for row in markets if row["region"] == region]
        if here:
            return str(here[0]["instance_type"])
        if not types:
            raise ValidationError(
                f"the provider does not sell `{name}` now", help=f"it sells: {_names(self._types(), 12)}"
            )
        regions = sorted({row["region"] for row in markets})
        raise ValidationError(
            f"`{name}` is not sold in {region} now",
            help=f"it is in {', '.join(regions)}: --region {regions[0]}" if regions else "nor in any other region",
        )

    def _quota(self, body: Mapping[str, Any]) -> None:
        """Raises InsufficientQuotaError where more machines are asked for than the project may still have."""
        project, wanted = body["project"], body["instance_quantity"]
        rows = self._get(f"quotas {project}", lambda: self._client.quotas(project))
        of_spot = [row for row in rows if str(row["product_type"]).lower() == "spot"]
        mine = [row for row in of_spot if row.get("instance_type") == body["instance_type"]]
        for row in mine:
            left = row["total_quantity"] - row["used_quantity"]
            if left >= wanted:
                continue
            name = self._type_name(body["instance_type"])
            others = [
                each["fid"] for each in self._types() if each["name"] == name and each["fid"] != body["instance_type"]
            ]
            free = [
                each["instance_type"]
                for each in of_spot
                if each.get("instance_type") in others and each["total_quantity"] - each["used_quantity"] >= wanted
            ]
            regions = sorted({each["region"] for each in self._markets() if each["instance_type"] in free})
            hint = f"try --region {regions[0]}, or " if regions else ""
            raise InsufficientQuotaError(
                f"quota exceeded in {body['region']}: {wanted} of {name} asked for, "
                f"{max(0, left)} of {row['total_quantity']} left",
                help=f"{hint}ask the provider for more",
            )

    def _prices(self, body: Mapping[str, Any]) -> Decimal | None:
        """Today's price of all machines of a bid for an hour. Raises ValidationError for a limit below the minimum."""
        quantity = body["instance_quantity"]
        key = f"price {body['instance_type']} {body['region']} {quantity}"
        try:
            row = self._get(key, lambda: self._client.price(body["instance_type"], body["region"], quantity))
        except ProviderError:
            return None  # the bid is not less valid for it
        limit = dollars(body["limit_price"])
        least = of_cents(row.get("minimum_price_cents"))
        market = of_cents(row.get("spot_price_cents"))
        name = self._type_name(body["instance_type"])
        if limit is not None and least is not None and limit < least:
            raise ValidationError(
                f"the limit of {body['name']}, ${limit} an hour, is below the least that is taken for {name}, ${least}",
                help=f"raise it: --max-price-per-hour {least}",
            )
        needed = of_cents(row.get("dynamic_win_price_cents")) or market
        if limit is not None and needed is not None and limit < needed:
            self._warnings.append(
                f"at ${limit} an hour {body['name']} waits: {name} costs ${needed} in {body['region']} now"
            )
        return market * quantity if market is not None else None

    def _types(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("types", self._client.instance_types)
        return found

    def _type_name(self, fid: str) -> str:
        return next((str(row["name"]) for row in self._types() if row["fid"] == fid), fid)

    def _markets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("markets", self._client.availability)
        return found

    def _one(self, rows: Iterable[Mapping[str, Any]], wanted: str, what: str) -> str:
        """The id of the row that bears this name or id. Raises ValidationError without one, or with several."""
        rows = list(rows)
        found = [row for row in rows if row["fid"] == wanted] or [row for row in rows if row["name"] == wanted]
        if len(found) == 1:
            return str(found[0]["fid"])
        if found:
            ids = ", ".join(str(row["fid"]) for row in found)
            raise ValidationError(f"there are several {what}s `{wanted}`", help=f"name one by its id: {ids}")
        from flowc.diag.suggest import nearest

        near = nearest(wanted, [str(row["name"]) for row in rows])
        hint = f"did you mean `{near}`? " if near else ""
        raise ValidationError(f"there is no {what} `{wanted}`", help=f"{hint}there are: {_names(rows)}")

    def _get(self, key: str, fetch: Any) -> Any:
        if key not in self._kept:
            self._kept[key] = fetch()
        return self._kept[key]


def _name(reference: str, kind: str) -> str | None:
    """NAME of `${kind:NAME}`, None for what is an id already."""
    start = f"${{{kind}:"
    return reference[len(start) : -1] if reference.startswith(start) and reference.endswith("}") else None


def _names(rows: Iterable[Mapping[str, Any]], most: int = 8) -> str:
    names = list(dict.fromkeys(str(row["name"]) for row in rows))
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "") or "none"
