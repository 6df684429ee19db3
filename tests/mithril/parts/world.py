"""What there is at the start: two projects, two keys, types and prices as they have been seen, one user and a stranger.

`h100-80gb.sxm.8x` has an FID for each of its regions, and neither is the one of old documents.
"""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex

from tests.mithril.parts.model import Image, InstanceType, Market, Project, Quota, Region, SshKey, User

PROJECT, OTHER_PROJECT, FOREIGN_PROJECT = "proj_research0000001", "proj_scratch00000002", "proj_foreign00000003"
TEAM_KEY, OWN_KEY = "sshkey_team000000001", "sshkey_laptop0000002"
MEMBER_KEY = "fkey_member000000000000000000"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"


def users() -> dict[str, User]:
    """By key. The member sees one project and administers nothing. The first key is another one each time: some tests
    look for theirs in all that runs on this computer."""
    return {
        f"fkey_{token_hex(12)}": User("user_ada000000000001", "Ada", "ada@example.com", [PROJECT, OTHER_PROJECT]),
        MEMBER_KEY: User("user_bob000000000002", "Bob", "bob@example.com", [PROJECT], role="member"),
    }


def projects(now: datetime) -> list[Project]:
    names = {PROJECT: "research", OTHER_PROJECT: "scratch", FOREIGN_PROJECT: "foreign"}
    return [Project(fid, name, now) for fid, name in names.items()]


def ssh_keys(now: datetime) -> list[SshKey]:
    return [
        SshKey(TEAM_KEY, "team", PROJECT, f"{PUBLIC}FsGmVnZTh4Zs8Xv3Yd2pQ1kR7uWbC5eN9mA0tLfHjKx", now, required=True),
        SshKey(OWN_KEY, "laptop", PROJECT, f"{PUBLIC}Lk2jW8sD4fG6hJ1zX3cV5bN7mQ9wE0rT2yU4iO6pAsD", now),
        SshKey(
            "sshkey_scratch000003", "laptop", OTHER_PROJECT, f"{PUBLIC}Lk2jW8sD4fG6hJ1zX3cV5bN7mQ9wE0rT2yU4iO6pAsD", now
        ),
    ]


def regions() -> dict[str, Region]:
    rows = {
        "us-central1-a": None,
        "us-central1-b": 7168,
        "us-central2-a": 15360,
        "us-central2-b": 15360,
        "us-central3-a": 15360,
        "us-central5-a": None,
    }
    return {
        name: Region(f"00000000-0000-4000-8000-{number:012}", name, file_gb)
        for number, (name, file_gb) in enumerate(rows.items())
    }


def images() -> list[Image]:
    everywhere = list(regions())
    return [
        Image("imgver_ubuntu2204new1", "ubuntu-22.04-cuda-12.8", True, everywhere),
        Image("imgver_ubuntu2204old1", "ubuntu-22.04-cuda-12.2", False, everywhere[:3]),
    ]


def instance_types() -> dict[str, InstanceType]:
    rows = [
        InstanceType("it_H1Qx8b2mTz5LrUcY", "h100-80gb.sxm.1x", 20, 226, 1, "H100", 80, 1774),
        InstanceType("it_H8central2a00001", "h100-80gb.sxm.8x", 168, 1814, 8, "H100", 80, 12500, network="InfiniBand"),
        InstanceType("it_H8central1b00002", "h100-80gb.sxm.8x", 168, 1814, 8, "H100", 80, 12500, network="InfiniBand"),
        InstanceType("it_H2001x0000000003", "ccs-h200.sxm.1x", 20, 200, 1, "H200", 141, 1500),
        InstanceType("it_H2008x0000000004", "ccs-h200.sxm.8x", 168, 1600, 8, "H200", 141, 12500, network="InfiniBand"),
        InstanceType("it_RrgkIZz6c9BZu5gi", "a100-80gb.sxm.1x", 26, 190, 1, "A100", 80, 1750, socket="SXM4"),
        InstanceType("it_TiAPxzKNi4xO0IAr", "a100-80gb.sxm.2x", 52, 380, 2, "A100", 80, 3500, socket="SXM4"),
        InstanceType("it_4TugeYWOov5FllEf", "a100-80gb.sxm.4x", 102, 760, 4, "A100", 80, 7000, socket="SXM4"),
        InstanceType("it_Sg1nDx1I8NFep60J", "a100-80gb.sxm.8x", 204, 1520, 8, "A100", 80, 14000, socket="SXM4"),
        InstanceType("it_2vblKKB0L8sRG8K7", "v6e-8", 180, 720, 8, "TPU v6e", 32, 0, socket="", gated=True),
        InstanceType("it_q0o0UtmD4bgy36kb", "neb-b200.sxm.8x", 160, 1792, 8, "B200", 180, 2800, socket="SXM"),
    ]
    return {each.fid: each for each in rows}


def markets(types: dict[str, InstanceType]) -> list[Market]:
    """Type, region, machines, minimum and last price in cents."""
    rows = [
        ("it_H1Qx8b2mTz5LrUcY", "us-central2-a", 16, 100, 100),
        ("it_H8central2a00001", "us-central2-a", 8, 800, 1203),
        ("it_H8central1b00002", "us-central1-b", 4, 800, 1490),
        ("it_H2001x0000000003", "us-central2-b", 8, 100, 101),
        ("it_H2008x0000000004", "us-central2-b", 6, 800, 1726),
        ("it_RrgkIZz6c9BZu5gi", "us-central3-a", 26, 1, 100),
        ("it_TiAPxzKNi4xO0IAr", "us-central3-a", 12, 2, 200),
        ("it_4TugeYWOov5FllEf", "us-central3-a", 6, 4, 400),
        ("it_Sg1nDx1I8NFep60J", "us-central3-a", 3, 8, 800),
        ("it_q0o0UtmD4bgy36kb", "us-central5-a", 2, 8, 2000),
        ("it_2vblKKB0L8sRG8K7", "us-central1-a", 4, 100, 1000),
    ]
    return [
        Market(f"auc_{number:016}", types[fid], region, capacity, floor, price)
        for number, (fid, region, capacity, floor, price) in enumerate(rows, 1)
    ]


def quotas(types: dict[str, InstanceType]) -> list[Quota]:
    """64 instances of each type, and 100 TB of storage, in each project of the first user."""
    found = []
    for project in (PROJECT, OTHER_PROJECT):
        for each in types.values():
            fid = f"quota_{project[5:9]}{each.fid[3:]}"
            found.append(Quota(fid, project, "Spot", 64, "instances", f"Spot {each.name}", each.fid))
        found.append(Quota(f"quota_{project[5:9]}storage", project, "Storage", 100_000, "GB", "Storage"))
    return found
