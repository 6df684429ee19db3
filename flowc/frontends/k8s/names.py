"""Names in Kubernetes: DNS labels and subdomains, keys and values of labels, names of variables, ports and keys."""

from __future__ import annotations

from flowc.patterns import at_first_use
from flowc.yamldoc.node import Mapping, is_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.frontends.k8s.findings import Findings
    from flowc.yamldoc.node import Node

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253

_label = at_first_use(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", "fullmatch")
_service = at_first_use(r"[a-z]([-a-z0-9]*[a-z0-9])?", "fullmatch")
_subdomain = at_first_use(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", "fullmatch")
_word = at_first_use(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", "fullmatch")
_port = at_first_use(r"(?=.*[a-z])[a-z0-9](-?[a-z0-9])*", "fullmatch")
_config_key = at_first_use(r"[-._a-zA-Z0-9]+", "fullmatch")
_variable = at_first_use(r"[ -<>-~]+", "fullmatch")
_not_in_label = at_first_use(r"[^a-z0-9]+", "sub")

IN_LABEL = "lower-case letters, digits and `-`, a letter or digit at both ends"
IN_SERVICE = "a lower-case letter, then lower-case letters, digits and `-`, a letter or digit at the end"
IN_SUBDOMAIN = "lower-case letters, digits, `-` and `.`, a letter or digit at both ends of each part"
IN_WORD = "letters, digits, `-`, `_` and `.`, a letter or digit at both ends"


def dns_label(findings: Findings, node: Node, path: str) -> bool:
    """Whether the node is a DNS label; reports what is wrong."""
    return _name(findings, node, path, _label(node.value) is not None, LABEL_LENGTH, IN_LABEL)


def service_name(findings: Findings, node: Node, path: str) -> bool:
    """Whether the node is a name as services have them, which begin with a letter; reports what is wrong."""
    return _name(findings, node, path, _service(node.value) is not None, LABEL_LENGTH, IN_SERVICE)


def dns_subdomain(findings: Findings, node: Node, path: str, limit: int = SUBDOMAIN_LENGTH) -> bool:
    """Whether the node is a DNS subdomain of at most `limit` characters; reports what is wrong."""
    return _name(findings, node, path, _subdomain(node.value) is not None, limit, IN_SUBDOMAIN)


def _name(findings: Findings, node: Node, path: str, good: bool, limit: int, expected: str) -> bool:
    text = node.value
    if not text:
        findings.required(node, path)
        return False
    if not good:
        better = _not_in_label("-", text.lower()).strip("-")[:limit].rstrip("-")
        findings.form(node, path, expected, help=placeholder(text) or (f"write `{better}`, say" if better else None))
        return False
    if len(text) > limit:
        findings.too_long(node, path, limit)
        return False
    return True


def placeholder(text: str) -> str | None:
    """Advice for a text that a template left for others to fill in, None for any other text."""
    if "{{" in text:
        return "it looks like a template: render it first (`helm template`), or give it a value (`--fill NAME=VALUE`)"
    from flowc.diag.suggest import FILL_IN, to_fill

    if (filled := to_fill(text)) is not None:
        return filled
    if "$" in text:
        return FILL_IN
    if text.startswith("<") or (text.isupper() and len(text) > 2):
        return "it looks like a placeholder: write your own value"
    return None


def is_subdomain(text: str) -> bool:
    return len(text) <= SUBDOMAIN_LENGTH and _subdomain(text) is not None


def is_label(text: str) -> bool:
    return len(text) <= LABEL_LENGTH and _label(text) is not None


def is_service_name(text: str) -> bool:
    """Whether a text could be part of a service's name, of any length."""
    return _service(text) is not None


def is_qualified(text: str) -> bool:
    """Whether a text is a key of a label: `[prefix/]name`."""
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= LABEL_LENGTH and _word(name) is not None


def is_label_value(text: str) -> bool:
    return len(text) <= LABEL_LENGTH and (not text or _word(text) is not None)


def is_port(text: str) -> bool:
    return len(text) <= 15 and _port(text) is not None


def is_config_key(text: str) -> bool:
    return len(text) <= SUBDOMAIN_LENGTH and text not in (".", "..") and _config_key(text) is not None


def is_variable(text: str) -> bool:
    """Any printable ASCII but `=`."""
    return _variable(text) is not None


def is_header(text: str) -> bool:
    """Whether a text is the name of a header of HTTP."""
    return bool(text) and text.isascii() and text.replace("-", "a").isalnum()


def labels(findings: Findings, node: Node | None, path: str, *, values: bool = True) -> None:
    """Keys and values of a mapping of labels; annotations have free values, and keys in any case."""
    if not isinstance(node, Mapping):
        return
    for pair in node.pairs:
        key = pair.key.text
        if not is_qualified(key if values else key.lower()):
            expected = f"`[prefix/]name`, a DNS name and at most 63 {IN_WORD}"
            findings.form(pair.key, path, expected, value=key)
        if values and isinstance(pair.value.value, str) and not is_null(pair.value):
            label_value(findings, pair.value, f"{path}[{key}]")


def label_value(findings: Findings, node: Node, path: str) -> None:
    text = node.value
    if not is_label_value(text):
        if len(text) > LABEL_LENGTH:
            findings.too_long(node, path, LABEL_LENGTH)
        else:
            findings.form(node, path, f"empty or {IN_WORD}", help=placeholder(text))


def stands_in(texts: list[str], name: str) -> bool:
    """Whether one of the texts has the name as a word of its own: `redis` is none in `redis-data`."""
    for text in texts:
        at = -1
        while (at := text.find(name, at + 1)) >= 0:
            before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
            if not (before.isalnum() or before in ("-", "_", "/")) and not (
                after.isalnum() or after in ("-", "_", "/")
            ):
                return True
    return False
