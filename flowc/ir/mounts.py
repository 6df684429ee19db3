"""Mounts from the words that users write for them: a URI, a path or a volume's name, the same in every format."""

from __future__ import annotations

from flowc.ir.job import Mount
from flowc.patterns import at_first_use

BUCKET_SCHEMES = ("s3", "gs", "r2", "cos", "oci", "nebius", "cw", "hf")
_GIT_SCHEMES = ("git", "ssh", "git+https", "git+ssh")
_GIT_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")
_AZURE_BLOBS = ".blob.core.windows.net"

_uri_parts = at_first_use(r"([a-z][a-z0-9+.-]*)://([^/?#]*)([^?#]*)(.*)", "fullmatch", 2)  # re.IGNORECASE
# `://` without one of its signs
_slip = at_first_use(rf"({'|'.join((*BUCKET_SCHEMES, 'volume', 'nfs', 'https'))})(:/|//)", "match", 2)
_is_name = at_first_use(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "fullmatch")
_is_host = at_first_use(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?", "fullmatch")
_is_bucket = at_first_use(r"[A-Za-z0-9][A-Za-z0-9._@-]*", "fullmatch")
_is_scp = at_first_use(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s:]+", "fullmatch")  # git@github.com:org/repo.git


def from_uri(source: str, target: str | None) -> Mount:
    """The mount of `source` at `target` (absolute or below `~/`), or where its kind usually goes if that is None.

    A bucket goes to /data, a volume to /volumes/NAME, all else to /mnt/ and the last part of its path. A word alone
    is a volume's name, a path needs a slash. Raises ValueError with the reason, which quotes neither of them, since a
    source may hold credentials.
    """
    if not source.strip():
        raise ValueError("the source is empty")
    if any(char < " " or char == "\x7f" for char in source):
        raise ValueError("the source holds a control character")
    kind, found, default = _parts(source)
    if target is None and not default:
        raise ValueError("the source has no name of its own, so a target is needed")
    return Mount(kind=kind, source=found, target=checked_target(default if target is None else target))


def split_flag(text: str) -> tuple[str | None, str]:
    """(target, source) of `[TARGET=]SOURCE`. A target never holds `://`, so a URI with `=` in it stays whole."""
    target, equals, source = text.partition("=")
    if not equals or "://" in target or target.startswith("./") or target.startswith("../"):
        return None, text
    return target, source


def _parts(source: str) -> tuple[str, str, str]:
    """Kind, source and default target."""
    if _is_scp(source):
        return "git", source, _below_mnt(source.partition("#")[0].removesuffix(".git"))
    match = _uri_parts(source)
    if match:
        return _uri(source, *match.groups())
    if "://" in source:
        raise ValueError("what stands before `://` is no scheme")
    slip = _slip(source)
    if slip:
        raise ValueError(f"`{slip[1]}{slip[2]}` begins no URI: write `{slip[1]}://`; a folder begins with `./`")
    if "/" in source or source in (".", "..", "~"):
        return "local", source, _below_mnt(source)
    if _is_name(source) and "." not in source:
        return "volume", source, f"/volumes/{source}"
    raise ValueError("it is neither a URI nor the name of a volume; a path begins with `./`, `/` or `~/`")


def _uri(source: str, scheme: str, host: str, path: str, rest: str) -> tuple[str, str, str]:
    scheme = scheme.lower()
    if any(char.isspace() for char in source):
        raise ValueError("a URI holds no blank")
    if scheme in BUCKET_SCHEMES:
        if ":/" in f"{host}{path}":
            raise ValueError("a path follows `:`; the target stands first: `TARGET=SOURCE`")
        if rest or not _is_bucket(host):
            raise ValueError(f"expected `{scheme}://BUCKET` or `{scheme}://BUCKET/PATH`")
        return "bucket", f"{scheme}://{host}{path}", "/data"
    if scheme == "volume":
        if rest or not _is_name(host) or ".." in path.split("/"):
            raise ValueError("expected `volume://NAME` or `volume://NAME/PATH`")
        return "volume", host + path.rstrip("/"), f"/volumes/{host}"
    if scheme == "nfs":
        if rest or not _is_host(host) or not path.strip("/"):
            raise ValueError("expected `nfs://HOST/PATH`")
        return "nfs", f"{host}:{path.rstrip('/')}", _below_mnt(path)
    if scheme in ("https", "http", *_GIT_SCHEMES):
        return _web(source, scheme, host, path, rest)
    known = ", ".join(f"`{each}://`" for each in (*BUCKET_SCHEMES, "volume", "nfs", "https", "git"))
    raise ValueError(f"unknown scheme; known are {known}")


def _web(source: str, scheme: str, host: str, path: str, rest: str) -> tuple[str, str, str]:
    """A git repository, or a container of Azure's blob storage."""
    user, at, server = host.rpartition("@")
    if ":" in user or (at and scheme in ("https", "http", "git+https")):
        raise ValueError("the URL holds credentials, which everybody in the project could read")
    if rest.startswith("?"):
        raise ValueError("the URL holds a query, which may be a secret that everybody in the project could read")
    if scheme == "https" and server.lower().endswith(_AZURE_BLOBS):
        if rest or not path.strip("/"):
            raise ValueError(f"expected `https://ACCOUNT{_AZURE_BLOBS}/CONTAINER`")
        return "bucket", source, "/data"
    repository = path.strip("/")
    on_known_host = server.lower() in _GIT_HOSTS and repository.count("/") == 1
    if scheme not in _GIT_SCHEMES and not repository.endswith(".git") and not on_known_host:
        raise ValueError("of `https://` only git repositories (`….git`) and Azure's blob storage can be mounted")
    if not _is_host(server) or not repository:
        raise ValueError("expected a git repository, such as `https://HOST/OWNER/NAME.git`")
    return "git", source.removeprefix("git+"), _below_mnt(repository.removesuffix(".git"))


def _below_mnt(path: str) -> str:
    """Empty where a path has no last part to be called by."""
    last = path.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return "" if last in ("", ".", "..", "~") else f"/mnt/{last}"


def checked_target(target: str) -> str:
    """Where a mount may be: the target without a slash at its end. Raises ValueError with the reason."""
    if any(char < " " or char == "\x7f" for char in target):
        raise ValueError("the target holds a control character")
    if not target.startswith(("/", "~/")):
        raise ValueError("the target is no absolute path: expected one that begins with `/` or `~/`")
    parts = target.rstrip("/").split("/")[1:]
    if not parts:
        raise ValueError("the target is `/` or the home folder itself, which cannot be mounted over")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError("the target holds `//`, `/./` or `/../`")
    return target.rstrip("/")
