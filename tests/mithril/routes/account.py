"""Who one is, projects, SSH keys, quotas, images: `/v2/me`, `/v2/projects`, `/v2/ssh-keys`, `/v2/quotas`, …"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.mithril import rules
from tests.mithril.parts.model import ApiKey, Quota, SshKey
from tests.mithril.routes.base import Reply, Request, time
from tests.mithril.rules import Refused
from tests.mithril.state import State


def me(request: Request) -> Reply:
    user, state = request.user, request.state
    return Reply(
        200,
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, user.fid)),
            "fid": user.fid,
            "email": user.email,
            "user_name": user.name,
            "organization_id": state.organization,
            "organization_role": user.role,
        },
    )


def projects(request: Request) -> Reply:
    mine = [request.state.projects[fid] for fid in request.user.projects]
    return Reply(200, [{"fid": each.fid, "name": each.name, "created_at": time(each.created_at)} for each in mine])


def _key(key: SshKey) -> dict[str, Any]:
    return {
        "fid": key.fid,
        "name": key.name,
        "project": key.project,
        "public_key": key.public_key,
        "created_at": time(key.created_at),
        "required": key.required,
    }


def ssh_keys(request: Request) -> Reply:
    words = request.words({"project": rules.text()}, "project")
    project = request.project(words["project"])
    return Reply(200, [_key(each) for each in request.state.ssh_keys.values() if each.project == project])


def create_ssh_key(request: Request) -> Reply:
    state = request.state
    body = request.body(
        {
            "project": (True, rules.text()),
            "name": (True, rules.text()),
            "public_key": (False, rules.or_null(rules.text())),
            "required": (False, rules.flag),
        }
    )
    project = request.project(body["project"])
    if not body["name"].strip():
        raise Refused(400, "Invalid name")
    if any(each.name == body["name"] and each.project == project for each in state.ssh_keys.values()):
        raise Refused(400, f"SSH key name already exists: {body['name']}")
    public, private = body.get("public_key"), None
    if public is None:
        private, public = _pair()
    elif not rules.PUBLIC_KEY.fullmatch(public.strip()):
        raise Refused(400, "Invalid public key")
    key = SshKey(
        state.fid("sshkey"), body["name"], project, public.strip(), state.clock.now, body.get("required", False)
    )
    state.ssh_keys[key.fid] = key
    state.note("ssh key created", key.fid)
    return Reply(201, {**_key(key), "private_key": private})


@functools.cache
def _pair() -> tuple[str, str]:
    """A private and a public RSA key: one pair for all who ask, for making one is slow."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Refused(501, "this server makes no keys: ssh-keygen is missing")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        command = [program, "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path.read_text(), path.with_suffix(".pub").read_text().strip()


def _found_key(request: Request) -> SshKey:
    key = request.state.ssh_keys.get(request.path[0])
    if key is None:
        raise Refused(404, "SSH key not found")
    request.project(key.project)
    return key


def update_ssh_key(request: Request) -> Reply:
    body = request.body({"required": (True, rules.flag)})
    key = _found_key(request)
    if request.user.role != "admin":
        raise Refused(403, "Only administrators can change required keys")
    key.required = body["required"]
    request.state.note("ssh key changed", key.fid, required=key.required)
    return Reply(200, _key(key))


def delete_ssh_key(request: Request) -> Reply:
    key = _found_key(request)
    if any(key.fid in bid.ssh_keys for bid in request.state.live_bids()):
        raise Refused(400, "SSH key is used by a live order")
    del request.state.ssh_keys[key.fid]
    request.state.note("ssh key deleted", key.fid)
    return Reply(204)


def _api_key(key: ApiKey) -> dict[str, Any]:
    return {
        "fid": key.fid,
        "name": key.name,
        "created_at": time(key.created_at),
        "expires_at": time(key.expires_at),
        "snippet": key.secret[:9] + "...",
    }


def api_keys(request: Request) -> Reply:
    mine = [each for each in request.state.api_keys.values() if each.user == request.user.fid]
    return Reply(200, [_api_key(each) for each in mine])


def create_api_key(request: Request) -> Reply:
    """Peers have seen names of less than 60 characters, and at most a year."""
    state = request.state
    body = request.body({"name": (True, rules.text()), "expires_at": (True, rules.moment)})
    if not 0 < len(body["name"]) < 60:
        raise Refused(400, "Invalid name")
    expires_at = datetime.fromisoformat(body["expires_at"])
    if expires_at <= state.clock.now or expires_at > state.clock.now + timedelta(days=366):
        raise Refused(400, "Invalid expiry")
    secret = f"fkey_{state.fid('made').replace('_', '')}0000000000"
    key = ApiKey(state.fid("apikey"), body["name"], request.user.fid, secret, state.clock.now, expires_at)
    state.api_keys[key.fid] = key
    state.note("api key created", key.fid)
    return Reply(201, {**_api_key(key), "secret": secret})


def revoke_api_key(request: Request) -> Reply:
    key = request.state.api_keys.get(request.path[0])
    if key is None or key.user != request.user.fid:
        raise Refused(404, "API key not found")
    del request.state.api_keys[key.fid]
    request.state.note("api key revoked", key.fid)
    return Reply(204)


def storage_used(state: State, project: str) -> int:
    return sum(each.gb for each in state.volumes.values() if each.deleted_at is None and each.project == project)


def quotas(request: Request) -> Reply:
    words = request.words({"project": rules.text()}, "project")
    project, state = request.project(words["project"]), request.state

    def row(quota: Quota) -> dict[str, Any]:
        used = storage_used(state, project) if quota.type is None else state.used(quota.type, project)
        return {
            "fid": quota.fid,
            "project": quota.project,
            "instance_type": quota.type,
            "product_type": quota.product,
            "total_quantity": quota.total,
            "used_quantity": used,
            "units": quota.units,
            "name": quota.name,
        }

    return Reply(200, [row(each) for each in state.quotas if each.project == project])


def images(request: Request) -> Reply:
    return Reply(
        200,
        [
            {
                "image_version_fid": each.fid,
                "image_version_name": each.name,
                "os": "Ubuntu 22.04",
                "kernel": "5.15.0-151-generic",
                "stable": each.stable,
                "supported_regions": each.regions,
                "nvidia_driver": "570.172.08",
                "cuda": "12.8",
                "deactivated_at": None,
            }
            for each in request.state.images
        ],
    )


def clusters(request: Request) -> Reply:
    """Rows that a test has put in: clusters are not made here."""
    words = request.words({"project": rules.text()}, "project")
    project = request.project(words["project"])
    return Reply(200, [each for each in request.state.clusters if each.get("project") == project])


ROUTES = {
    ("GET", "/v2/me"): me,
    ("GET", "/v2/projects"): projects,
    ("GET", "/v2/ssh-keys"): ssh_keys,
    ("POST", "/v2/ssh-keys"): create_ssh_key,
    ("PATCH", "/v2/ssh-keys/{ssh_key_fid}"): update_ssh_key,
    ("DELETE", "/v2/ssh-keys/{ssh_key_fid}"): delete_ssh_key,
    ("GET", "/v2/api-keys"): api_keys,
    ("POST", "/v2/api-keys"): create_api_key,
    ("DELETE", "/v2/api-keys/{key_fid}"): revoke_api_key,
    ("GET", "/v2/quotas"): quotas,
    ("GET", "/v2/image-versions"): images,
    ("GET", "/v2/kubernetes/clusters"): clusters,
}
