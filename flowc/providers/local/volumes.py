"""What volumes are called here."""

from __future__ import annotations

from flowc.providers.local.tasks import VOLUME


def volume_id(name: str) -> str:
    """The id of a volume. A volume may be named by an id of another place: that is its id here too."""
    return name if name.startswith(VOLUME) else VOLUME + name


def disk_id(identity: str) -> str:
    """What its disk is called. A device's name has room for 20 characters: long ones that begin alike are still two."""
    from flowc.digest import sha256_hex

    return identity if len(identity) <= 20 else VOLUME + sha256_hex(identity.encode())[:16]


def label(name: str) -> str:
    """What startup scripts call the disk of a volume (`flowc.scripts.storage.label`)."""
    from binascii import crc32

    return name if len(name) <= 16 else f"{name[:7]}-{crc32(name.encode()):08x}"
