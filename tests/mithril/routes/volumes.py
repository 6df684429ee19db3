"""Volumes: `/v2/volumes`. They have no status; one is found by its name, which is unique in its project."""

from __future__ import annotations

import math
from typing import Any

from tests.mithril import rules
from tests.mithril.parts.model import Volume
from tests.mithril.routes.account import storage_used
from tests.mithril.routes.base import Reply, Request, time
from tests.mithril.rules import Refused
from tests.mithril.state import State

NAME = (True, rules.text(rules.VOLUME_NAME, longest=64))


def _volume(state: State, each: Volume) -> dict[str, Any]:
    return {
        "fid": each.fid,
        "name": each.name,
        "region": each.region,
        "created_at": time(each.created_at),
        "deleted_at": time(each.deleted_at),
        "capacity_gb": each.gb,
        "project": each.project,
        "interface": each.interface,
        "bids": [bid.fid for bid in state.attached(each)],
        "reservations": [],
        "attachments": {},
    }


def volumes(request: Request) -> Reply:
    checks = {"project": rules.text(), "region": rules.text(), "include_deleted": rules.word_flag}
    words = request.words(checks, "project")
    project = request.project(words["project"])
    return Reply(
        200,
        [
            _volume(request.state, each)
            for each in request.state.volumes.values()
            if each.project == project
            and words.get("region") in (None, each.region)
            and (words.get("include_deleted", False) or each.deleted_at is None)
        ],
    )


def create(request: Request) -> Reply:
    body = request.body(
        {
            "name": NAME,
            "project": (True, rules.text()),
            "disk_interface": (True, rules.one_of("Block", "File")),
            "region": (True, rules.text()),
            "size_gb": (True, rules.number(0, rules.PIB_GB)),
        }
    )
    state, project, gb = request.state, request.project(body["project"]), math.ceil(body["size_gb"])
    repeated = _repeated(request)
    if repeated is not None:
        return Reply(201, _volume(state, repeated))
    region = state.regions.get(body["region"])
    if region is None:
        raise Refused(404, "Region not found")
    if body["disk_interface"] == "Block" and not region.block:
        raise Refused(400, f"Block storage is not available in {region.name}")
    if body["disk_interface"] == "File" and (region.file_gb is None or gb > region.file_gb):
        most = "are not available" if region.file_gb is None else f"hold at most {region.file_gb} GB"
        raise Refused(400, f"File shares {most} in {region.name}")
    if body["disk_interface"] == "Block" and gb > 32_000:
        raise Refused(400, f"Volumes hold at most 32 TB in {region.name}")
    _name_is_free(state, project, body["name"])
    quota = next((each.total for each in state.quotas if each.project == project and each.type is None), None)
    if quota is not None and storage_used(state, project) + gb > quota:
        raise Refused(403, f"Storage quota exceeded: {quota} GB")
    volume = Volume(state.fid("vol"), body["name"], project, region.name, body["disk_interface"], gb, state.clock.now)
    state.volumes[volume.fid] = volume
    if "idempotency-key" in request.headers:
        state.idempotent[request.headers["idempotency-key"]] = volume.fid
    state.note("volume created", volume.fid, name=volume.name)
    return Reply(201, _volume(state, volume))


def _repeated(request: Request) -> Volume | None:
    if not request.state.quirks.honours_idempotency_key:
        return None
    return request.state.volumes.get(request.state.idempotent.get(request.headers.get("idempotency-key", ""), ""))


def _name_is_free(state: State, project: str, name: str) -> None:
    """In all regions; deleted volumes have given theirs back."""
    if any(each.name == name and each.project == project and not each.deleted_at for each in state.volumes.values()):
        raise Refused(400, f"Volume name already exists: {name}")


def _found(request: Request) -> Volume:
    volume = request.state.volumes.get(request.path[0])
    if volume is None or volume.deleted_at is not None:
        raise Refused(404, "Volume not found")
    request.project(volume.project)
    return volume


def rename(request: Request) -> Reply:
    name = request.body({"name": NAME})["name"]
    volume = _found(request)
    if name != volume.name:
        _name_is_free(request.state, volume.project, name)
        volume.name = name
        request.state.note("volume renamed", volume.fid, name=name)
    return Reply(200, _volume(request.state, volume))


def delete(request: Request) -> Reply:
    volume = _found(request)
    if request.state.attached(volume):
        raise Refused(400, "Volume is attached to a bid")
    volume.deleted_at = request.state.clock.now
    request.state.note("volume deleted", volume.fid)
    return Reply(204)


ROUTES = {
    ("GET", "/v2/volumes"): volumes,
    ("POST", "/v2/volumes"): create,
    ("PATCH", "/v2/volumes/{volume_fid}"): rename,
    ("DELETE", "/v2/volumes/{volume_fid}"): delete,
}
