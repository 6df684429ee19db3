"""What the API answers where it refuses: each shape of error in one sentence, with what to do."""

from __future__ import annotations

import json

from flowc.diag.excerpt import visible
from flowc.providers.errors import (
    AuthenticationError,
    ConflictError,
    InsufficientQuotaError,
    NotFoundError,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    UnavailableError,
    ValidationError,
)
from flowc.secret import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flowc.providers.mithril.transport import Reply

_MOST = 400  # characters of what a server says


def of_reply(method: str, path: str, reply: Reply) -> ProviderError:
    """The error that a reply outside of the two hundreds stands for."""
    kind, message, help = _meaning(method, path, reply.status, _said(reply.body))
    return kind(message, help=help, status=reply.status, request_id=number_of(reply))


def number_of(reply: Reply) -> str | None:
    """The provider's number of a call, if it says one."""
    number = reply.headers.get("x-request-id") or reply.headers.get("x-correlation-id")
    return visible(masked(number))[:80] if number else None


def _meaning(method: str, path: str, status: int, said: str) -> tuple[type[ProviderError], str, str]:
    small = said.lower()
    tail = f": {said}" if said else ""
    if status == 401:
        return (
            AuthenticationError,
            "the provider does not know this key",
            ("make one in its console, then set MITHRIL_API_KEY; `flowc doctor` shows which key is used"),
        )
    if status == 402 or (status in (400, 403) and ("billing" in small or "payment" in small)):
        return ValidationError, f"billing is not set up{tail}", "add a way to pay in the provider's console"
    if status == 403:
        if "quota" in small or "limit" in small:
            return InsufficientQuotaError, f"the quota does not allow this{tail}", "ask the provider for more"
        return AuthenticationError, f"this key may not do that{tail}", "use a project that the key belongs to"
    if status == 404:
        return NotFoundError, f"there is no {path.rpartition('/')[2]}{tail}", ""
    if status == 409 or (status == 400 and "already" in small):
        return ConflictError, f"the provider refuses{tail or ': a conflict'}", ""
    if status == 429:
        return RateLimitError, f"too many calls{tail}", "wait a minute; up to 100 a minute are taken"
    if status == 400 and "quota" in small:
        return InsufficientQuotaError, f"the quota does not allow this{tail}", "ask the provider for more"
    if 400 <= status < 500 and status != 408:
        return ValidationError, f"the provider refuses {method} {path}{tail or f' with status {status}'}", _hint(small)
    if 300 <= status < 400:
        return ValidationError, f"{path} is answered with a redirect, which is not followed", "is the address right?"
    if status == 501:
        return ValidationError, f"the provider cannot do {method} {path}{tail}", ""
    message = f"the provider failed with status {status} at {method} {path}{tail}"
    return (OutcomeUnknownError if method == "POST" else UnavailableError), message, ""


def _hint(said: str) -> str:
    if "price" in said:
        return "raise the limit with --max-price-per-hour, or choose another type or region"
    if "ssh" in said:
        return "name a key with --ssh-key; `flowc doctor` lists those of the project"
    if "name" in said:
        return "name the job with --name: small letters, digits and dashes, a letter first"
    return ""


def _said(body: bytes) -> str:
    """What an error's body says, in one line without secrets: `{"detail": text}` or `{"detail": [{"loc", "msg"}…]}`,
    else the beginning of whatever it is."""
    text = body[:100_000].decode("utf-8", "replace")
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    detail = found.get("detail", found.get("message")) if isinstance(found, dict) else found
    if isinstance(detail, list):
        text = "; ".join(filter(None, map(_one, detail[:5])))
    elif isinstance(detail, str):
        text = detail
    elif "<html" in text.lower() or found is not None:
        text = ""
    return visible(masked(" ".join(text.split())))[:_MOST].rstrip(".")


def _one(each: object) -> str:
    """One complaint of a 422: where, then what."""
    if not isinstance(each, dict):
        return str(each) if isinstance(each, str) else ""
    places = each.get("loc")
    where = ".".join(str(part) for part in places if part != "body") if isinstance(places, list) else ""
    what = str(each.get("msg", ""))
    return f"{where}: {what}" if where else what
