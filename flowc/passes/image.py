"""References to container images: `[registry[:port]/]path[:tag][@digest]`, as docker reads them."""

from __future__ import annotations

from flowc.patterns import at_first_use

_component = at_first_use(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*", "fullmatch")
_registry = at_first_use(
    r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]{1,5})?", "fullmatch"
)
_tag = at_first_use(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "fullmatch")
_digest = at_first_use(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}", "fullmatch")
_SCHEME = r"(?:docker|oci|https?)://|docker:(?=[^/]*[/:])"
_scheme = at_first_use(_SCHEME, "match")
_without_scheme = at_first_use(_SCHEME, "sub")
# Signs of a template that was not filled in.
_placeholder = at_first_use(
    r"\$|[{}<>%]|(?:^|/)(?:[A-Z][A-Z0-9]*[_-][A-Z0-9_-]*|IMAGE|NAME|REGISTRY|REPO|REPOSITORY|USER|PROJECT)(?=[:@/]|$)",
    "search",
)
_other = at_first_use(r"[^a-z0-9._/-]+", "sub")
LONGEST = 255


def mistake(image: str) -> tuple[str, str | None] | None:
    """Why a text is no image reference and what was probably meant; None when it is one."""
    reason = _reason(image)
    if reason is None:
        return None
    near = _corrected(image)
    return reason, near if near is not None and _reason(near) is None else None


def _reason(image: str) -> str | None:
    if not image.strip():
        return "it is empty"
    if _placeholder(image):
        return "it has a placeholder in it that was not filled in"
    if _scheme(image):
        return "it begins like a URL"
    if any(char.isspace() for char in image):
        return "it has blanks in it"
    rest, at, digest = image.partition("@")
    if at and not _digest(digest):
        return "after `@` belongs a digest such as `sha256:` and 64 hexadecimal digits"
    registry, name, tag = _parts(rest)
    if tag is not None and not _tag(tag):
        return "a tag has at most 128 letters, digits, `.`, `_` and `-`, and begins with none of `.` and `-`"
    if registry is not None and not _registry(registry):
        return f"`{registry}` is no host name"
    if len(rest) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if name != name.lower():
        return "a path has no capital letters"
    if not all(map(_component, name.split("/"))):
        return "a path has lower-case letters and digits, with `.`, `_` or `-` only between them"
    return None


def _parts(rest: str) -> tuple[str | None, str, str | None]:
    """Registry, path and tag of a reference without its digest."""
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    given = tag if head != rest else None
    first, slash, path = head.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, path, given
    return None, head, given


def _corrected(image: str) -> str | None:
    if _placeholder(image):
        return None
    text = _without_scheme("", image.strip(), 1).replace("#", "/").strip("/")
    rest, at, digest = text.partition("@")
    registry, name, tag = _parts(rest)
    name = "/".join(part for part in _other("-", name.lower()).split("/") if part)
    host = f"{registry}/" if registry is not None else ""
    keep = at + digest if _digest(digest) else ""
    return host + name + (f":{tag}" if tag else "") + keep
