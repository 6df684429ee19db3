"""The request document: one bid for each job, or for each task of an array, with its startup script."""

from __future__ import annotations

from flowc import scripts
from flowc.backends.artifacts import Artifact, LazyArtifact
from flowc.backends.mithril import limits
from flowc.backends.mithril.naming import safe_name, unique_name
from flowc.backends.mithril.needs import needs
from flowc.backends.mithril.references import References
from flowc.digest import sha256_hex
from flowc.ir.encode import about, dumps
from flowc.record import Record
from flowc.scripts.delivery import FOLDER, KEY, KEY_CHARACTERS, RELEASE, WHOLE, delivery
from flowc.scripts.secrets import SECRETS, secrets
from flowc.scripts.storage import trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flowc.diag.sink import Sink
    from flowc.ir.job import Dependency, Job
    from flowc.ir.plan import JobPlan
    from flowc.ir.unit import Unit
    from flowc.scripts import Startup

BIDS = "/v2/spot/bids"
# The file with the job's own text, where the startup script does not hold it.
BODY = "body"


VOLUMES = "/v2/volumes"
GB = 10**9
# The size of a new volume where nobody says one.
VOLUME_GB = 100


class Bid(Record):
    """One bid to be: its name and its startup script, whose text is in the body."""

    name: str
    script: Startup
    body: dict[str, Any]


def artifacts(units: list[Unit], sink: Sink, taken: set[str]) -> list[Artifact]:
    """The request document, then for each unit its startup script as sent, as read, and the report. `taken` are names
    of requests of other documents, to which its own are added."""
    references = References()
    made = [_bids(unit, references, taken, sink) for unit in units]
    units, by_unit = [unit for unit, _ in made], [bids for _, bids in made]
    for unit, its_bids in zip(units, by_unit, strict=True):
        limits.report_script(unit, limits.hardest([bid.script for bid in its_bids]), sink)
    bids = [bid for bids in by_unit for bid in bids]
    volumes = _new_volumes(units, references, taken)
    requests = list(volumes.values())
    for unit, its_bids in zip(units, by_unit, strict=True):
        after = [volumes[name]["id"] for name in _volume_names(unit.job) if name in volumes]
        for bid in its_bids:
            requests.append(_request(bid, after, alone=len(bids) == 1))
            if unit.job.placement.paused:
                requests.append(_pause(bid))
    document: dict[str, Any] = {
        "format": "flowc.mithril/1",
        "requests": requests,
        "jobs": [_job(unit, its_bids) for unit, its_bids in zip(units, by_unit, strict=True)],
        "unresolved": list(references.found),
        "script": _script(bids[0].script),
    }
    if any(unit.job.number is not None for unit in units):
        # What is the same whatever the numbers are, of which startup scripts are full.
        document["about"] = [sha256_hex(about(unit).encode("utf-8", "surrogateescape")) for unit in units]
    deliver = _deliver(units, by_unit)
    if deliver:
        document["deliver"] = deliver
    throttle = max((unit.job.array.max_concurrent or 0 for unit in units if unit.job.array is not None), default=0)
    if throttle:
        document["max_concurrent"] = throttle
    found = [Artifact(name="request.json", text=dumps(document))]
    for unit, its_bids in zip(units, by_unit, strict=True):
        first = its_bids[0]
        prefix = _prefix(units, first)
        names = [bid.name for bid in its_bids]
        found += [
            Artifact(name=f"{prefix}startup.sh", text=first.script.sent),
            Artifact(name=f"{prefix}startup.plain.sh", text=first.script.plain),
            LazyArtifact(f"{prefix}report.txt", _report(unit, names, first.script, sink)),
        ]
        sent = delivery(unit.job)
        if sent is not None:
            found.append(Artifact(name=f"{prefix}{BODY}", text=sent.data.decode("utf-8", "surrogateescape")))
        for bid in its_bids:
            if bid.script.whole is not None:
                text = bid.script.whole.decode("utf-8", "surrogateescape")
                found.append(Artifact(name=f"{_whole_prefix(prefix, bid, its_bids)}{WHOLE}", text=text))
    return found


def _job(unit: Unit, bids: list[Bid]) -> dict[str, Any]:
    """What of a job holds beyond its bids: what they wait for, how many at a time, how long at most, and in which other
    regions they might be (`regions`: these alone, where there are any). What else others know it by: the number that
    Slurm's variables tell it, the indices of an array. And what its `machine` must have, for who makes one."""
    job, plan = unit.job, unit.plan
    assert plan is not None, "mithril: a unit without a plan"
    more: dict[str, Any] = {"job_id": scripts.job_id(job)} if job.conventions.commands else {}
    if job.array is not None:
        more["indices"] = list(job.array.indices)
    if job.kill_on_invalid_dep:
        more["kill_on_invalid_dep"] = True
    if wanted := needs(job, plan, bids[0].script):
        more["machine"] = wanted
    return {
        "name": job.name,
        "bids": [bid.name for bid in bids],
        "after": [_after(each) for each in job.depends_on],
        "max_concurrent": job.array.max_concurrent if job.array is not None else None,
        "hours_bound": plan.hours_bound,
        "regions": list(job.placement.regions),
        "exclude_regions": list(job.placement.exclude_regions),
        **more,
    }


def _after(each: Dependency) -> dict[str, Any]:
    more = {name: value for name, value in (("minutes", each.minutes), ("any", each.any)) if value}
    return {"kind": each.kind, "on": each.on, **more}


def _prefix(units: list[Unit], first: Bid) -> str:
    """What the names of a unit's files begin with; `first` is the unit's first bid."""
    return "" if len(units) == 1 else f"{first.name}."


def _whole_prefix(prefix: str, bid: Bid, bids: list[Bid]) -> str:
    """The whole startup scripts of an array's tasks differ."""
    return prefix if len(bids) == 1 else f"{bid.name}."


def _deliver(units: list[Unit], by_unit: list[list[Bid]]) -> list[dict[str, Any]]:
    """What is to be copied to the machines of which bids, before their jobs start: `file` is its name below `-o DIR`,
    `nodes` says whether the first machine of each bid or all of them need it."""
    found: list[dict[str, Any]] = []
    for unit, bids in zip(units, by_unit, strict=True):
        sent = delivery(unit.job)
        if sent is not None:
            found.append(
                {
                    "to": [bid.name for bid in bids],
                    "nodes": "all" if sent.every_node else "first",
                    "path": sent.path,
                    "file": f"{_prefix(units, bids[0])}{BODY}",
                    "bytes": len(sent.data),
                    "sha256": sent.sha256,
                }
            )
        for bid in bids:
            if bid.script.whole is not None:
                found.append(
                    {
                        "to": [bid.name],
                        "nodes": "all",
                        "path": f"{FOLDER}/{WHOLE}",
                        "file": f"{_whole_prefix(_prefix(units, bids[0]), bid, bids)}{WHOLE}",
                        "bytes": len(bid.script.whole),
                        "sha256": sha256_hex(bid.script.whole),
                    }
                )
        if guarded := [bid.name for bid in bids if bid.script.guarded]:
            found.append({"to": guarded, "nodes": "all", "path": KEY, "key": KEY_CHARACTERS})
        to = [bid.name for bid in bids]
        for tree in trees(unit.job, unit.plan):
            optional = {"ignores": tree.ignores, "owner": tree.owner}
            more = {name: value for name, value in optional.items() if value is not None}
            sent_as = {"path": tree.path, "tree": tree.source, "marker": tree.marker}
            found.append({"to": to, "nodes": "all", **sent_as, **more})
        awaited = secrets(unit.job)
        if awaited.secrets:
            logins = {"logins": list(awaited.pull_secrets)} if awaited.pull_secrets else {}
            said = unit.job.isolation.pull_parts
            parts = {"parts": dict(said)} if said else {}
            names = list(awaited.secrets)
            found.append({"to": to, "nodes": "all", "path": SECRETS, "secrets": names, **logins, **parts})
        if unit.releases:
            assert unit.plan is not None, "mithril: a unit without a plan"
            how = {"nodes": unit.plan.nodes, "each": unit.job.conventions.runs_on == "all"}
            found.append({"to": [bid.name for bid in bids], "nodes": "all", "path": RELEASE, "release": how})
    return found


def _bids(unit: Unit, references: References, taken: set[str], sink: Sink) -> tuple[Unit, list[Bid]]:
    """One bid for each index of an array, else one; and the unit, whose text goes over SSH if that is what it takes."""
    job, plan = unit.job, unit.plan
    assert plan is not None, "mithril: a unit without a plan"
    name = safe_name(job.name)
    indices: tuple[int | None, ...] = job.array.indices if job.array is not None else (None,)
    names = [unique_name(name if index is None else safe_name(name, f"-{index}"), taken) for index in indices]
    built = [scripts.build(unit, index=index) for index in indices]
    largest = limits.hardest(built)
    way = None if largest.fits and largest.has_pmi else limits.fits_apart(unit, tools=largest.has_tools)
    if way is not None:
        unit = limits.apart(unit, way)
        built = [scripts.build(unit, index=index) for index in indices]
        limits.report_apart(unit, built[0].whole, sink)
    return unit, [
        Bid(name=own, script=script, body=_body(unit, plan, own, script, references))
        for own, script in zip(names, built, strict=True)
    ]


def _body(unit: Unit, plan: JobPlan, name: str, script: Startup, references: References) -> dict[str, Any]:
    """A CreateBidRequest. Ids of the bundled catalog are a seed, so the type is a reference; ids that the
    user gave, or that stand in the user's own catalog, are used as they are."""
    job = unit.job
    names = [*job.resources.alternatives, *(choice.name or "" for choice in job.resources.choices)]
    given = plan.fid in [text.strip() for text in names]
    body: dict[str, Any] = {
        "project": references.project(job.identity.project),
        "region": plan.region,
        "instance_type": references.instance_type(
            plan.fid if given or plan.catalog.source != "bundled" else None, plan.instance_type, plan.region
        ),
        "limit_price": f"${plan.limit_usd_per_instance_hour}",
        "instance_quantity": plan.nodes,
        "name": name,
        "launch_specification": {
            "volumes": [references.volume(name) for name in _volume_names(job)],
            "ssh_keys": [references.ssh_key(key) for key in job.identity.ssh_keys or (None,)],
            "startup_script": script.sent,
        },
    }
    if job.placement.kubernetes_cluster is not None:
        body["launch_specification"]["kubernetes_cluster"] = references.cluster(job.placement.kubernetes_cluster)
    email = job.notify.email
    if email is not None and limits.is_address(email):
        body["notification_email"] = email
    return body


def _volume_names(job: Job) -> list[str]:
    """The volumes that the bid attaches, by name or id, each once."""
    found = [volume.volume_id or volume.name or "" for volume in job.volumes]
    known = {volume.name for volume in job.volumes}
    mounted = [*job.mounts, *(mount for each in job.containers for mount in each.mounts)]
    names = [mount.source.partition("/")[0] for mount in mounted if mount.kind == "volume"]
    return list(dict.fromkeys([*found, *(name for name in names if name not in known)]))


def _new_volumes(units: list[Unit], references: References, taken: set[str]) -> dict[str, dict[str, Any]]:
    """Name to the request that makes the volume, which is left out where there is one of that name."""
    found: dict[str, dict[str, Any]] = {}
    for unit in units:
        for volume in unit.job.volumes:
            if not volume.create or volume.name is None or volume.name in found:
                continue
            assert unit.plan is not None, "mithril: a unit without a plan"
            body = {
                "name": volume.name,
                "project": references.project(unit.job.identity.project),
                "disk_interface": volume.interface.capitalize(),
                "region": unit.plan.region,
                "size_gb": -(-volume.size_bytes // GB) if volume.size_bytes else VOLUME_GB,
            }
            own = _unique(f"volume:{volume.name}", taken)
            found[volume.name] = {
                "id": own, "method": "POST", "path": VOLUMES, "body": body, "after": [],
                "unless": references.volume(volume.name),
            }  # fmt: skip
    return found


def _unique(text: str, taken: set[str]) -> str:
    """`text`, with a number where it is taken; it is then."""
    own, number = text, 2
    while own in taken:
        own, number = f"{text}-{number}", number + 1
    taken.add(own)
    return own


def _request(bid: Bid, after: list[str], *, alone: bool) -> dict[str, Any]:
    request = {"id": bid.name, "method": "POST", "path": BIDS, "body": bid.body, "after": after}
    return request if alone else {**request, "script": _script(bid.script)}


def _pause(bid: Bid) -> dict[str, Any]:
    """A bid cannot be placed paused: it is paused right after."""
    path = f"{BIDS}/${{bid:{bid.name}}}"
    return {
        "id": f"pause:{bid.name}", "method": "PATCH", "path": path, "body": {"paused": True}, "after": [bid.name]
    }  # fmt: skip


def _script(script: Startup) -> dict[str, Any]:
    return {
        "bytes": len(script.sent),
        "plain_bytes": len(script.plain.encode("utf-8", "surrogateescape")),
        "encoding": script.encoding,
        "sha256": sha256_hex(script.sent.encode("ascii")),
    }


def _report(unit: Unit, names: list[str], script: Startup, sink: Sink) -> Callable[[], str]:
    """Made when it is asked for, which most do not."""

    def report() -> str:
        from flowc.backends.mithril.report import report_text

        return report_text(unit, names, script, sink.diagnostics)

    return report
