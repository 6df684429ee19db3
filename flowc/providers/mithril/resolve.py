"""What only the live API knows of a request document, put into it before anything is made; and what would go wrong.

Reads only. What it finds is final: the document that comes out is what the journal keeps and what is sent.
"""

from __future__ import annotations

import copy

from flowc._compiled.limits import SCRIPT_BYTES
from flowc.listing import some_of
from flowc.providers.base import Resolution
from flowc.providers.errors import ProviderError, ValidationError
from flowc.providers.mithril.market import allowed, best, offers, refuse_over_quota
from flowc.providers.mithril.money import dollars, of_cents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal
    from typing import Any

    from flowc.providers.mithril.client import Client
    from flowc.providers.mithril.market import Offer


class Resolver:
    """Looks up what a document refers to. Whatever is asked twice is fetched once."""

    def __init__(self, client: Client, *, project: str | None, ssh_keys: tuple[str, ...] = ()) -> None:
        self._client = client
        self._wanted_project = project
        self._wanted_keys = ssh_keys
        self._kept: dict[str, Any] = {}
        self._warnings: list[str] = []
        # Machines that jobs before ask for, by project and type.
        self._asked: dict[tuple[str, str], int] = {}

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
        with_project = [request for request in found["requests"] if "project" in request["body"]]
        for request in with_project:
            reference = request["body"]["project"]
            if reference not in projects:
                projects[reference] = self._project(_name(reference, "project") or reference)
            request["body"]["project"] = projects[reference]
        for job in found.get("jobs", ()):
            self._choose_region(job, found["requests"], creating)
        for request in with_project:
            body = request["body"]
            if request["path"] == "/v2/spot/bids":
                self._bid(body, creating)
                price = self._prices(body)
                if price is not None:
                    market = (market or price * 0) + price
        for job in found.get("jobs", ()):
            self._quota(job, {request["id"]: request["body"] for request in with_project})
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
            launch["kubernetes_cluster"] = one_of(rows, wanted, "Kubernetes cluster")

    def _project(self, name: str) -> str:
        rows = self._get("projects", self._client.projects)
        wanted = self._wanted_project if name == "default" else name
        if wanted is not None:
            return one_of(rows, wanted, "project")
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
        found = [ssh_key_of(rows, name) for name in names]
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

    def _choose_region(self, job: Mapping[str, Any], requests: list[dict[str, Any]], creating: set[str]) -> None:
        """Move the bids of a job to where there is room for them, at the least price, as far as it may be there."""
        bodies = [request["body"] for request in requests if request["id"] in job["bids"]]
        first = bodies[0]
        name = _name(first["instance_type"], "instance_type")
        volumes = first["launch_specification"]["volumes"]
        if name is None or len(job["regions"]) == 1 or any(each in creating for each in volumes):
            return  # new volumes stand where they were planned, and other jobs may share them
        name = name.rpartition("@")[0]
        found = allowed(self._offers(name, first["project"]), job["regions"], job["exclude_regions"])
        rows = (
            self._get(f"volumes {first['project']}", lambda: self._client.volumes(first["project"])) if volumes else []
        )
        for reference in volumes:
            places = {
                row["region"] for row in rows if (_name(reference, "volume") or reference) in (row["name"], row["fid"])
            }
            found = [each for each in found if each.region in places]
        chosen = best(found, self._at_once(job, bodies), at_first=first["region"])
        if chosen is None or chosen.region == first["region"]:
            return
        self._warnings.append(
            f"{job['name']} is bid for in {chosen.region}, not in {first['region']}: "
            f"{name} costs ${chosen.price} there now"
        )
        for body in bodies:
            body["region"] = chosen.region

    def _at_once(self, job: Mapping[str, Any], bodies: list[Mapping[str, Any]]) -> int:
        """How many machines a job may have at the same time."""
        return int(bodies[0]["instance_quantity"]) * min(len(bodies), job["max_concurrent"] or len(bodies))

    def _quota(self, job: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]) -> None:
        """Raises InsufficientQuotaError where more machines are asked for than the project may still have."""
        bodies = [by_id[each] for each in job["bids"]]
        first = bodies[0]
        name = self._type_name(first["instance_type"])
        others = self._offers(name, first["project"])
        for here in others:
            if (here.fid, here.region) == (first["instance_type"], first["region"]):
                wanted = self._at_once(job, bodies) + self._asked.get((first["project"], here.fid), 0)
                self._asked[(first["project"], here.fid)] = wanted
                refuse_over_quota(name, here, others, wanted)

    def _offers(self, name: str, project: str) -> list[Offer]:
        quotas = self._get(f"quotas {project}", lambda: self._client.quotas(project))
        return offers(name, types=self._types(), markets=self._markets(), quotas=quotas)

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

    def _get(self, key: str, fetch: Any) -> Any:
        if key not in self._kept:
            self._kept[key] = fetch()
        return self._kept[key]


def _name(reference: str, kind: str) -> str | None:
    """NAME of `${kind:NAME}`, None for what is an id already."""
    start = f"${{{kind}:"
    return reference[len(start) : -1] if reference.startswith(start) and reference.endswith("}") else None


def _names(rows: Iterable[Mapping[str, Any]], most: int = 8) -> str:
    return some_of(dict.fromkeys(str(row["name"]) for row in rows), most) or "none"


def ssh_key_of(rows: list[dict[str, Any]], name: str) -> str:
    """The id of a key by its name, its id, or the file in which the user has it. Raises ValidationError."""
    if "/" not in name:
        return one_of(rows, name, "SSH key")
    from flowc.remote.ssh import public_key

    try:
        wanted = public_key(name)
    except (OSError, ValueError) as error:
        raise ValidationError(f"SSH key `{name}` cannot be read: {error}", help="name it as the project does") from None
    for row in rows:
        if " ".join(str(row.get("public_key", "")).split()[:2]) == wanted:
            return str(row["fid"])
    raise ValidationError(
        f"the project does not know the SSH key in {name}",
        help=f"add it in the provider's console, or name one: {_names(rows)}",
    )


def one_of(rows: Iterable[Mapping[str, Any]], wanted: str, what: str) -> str:
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
