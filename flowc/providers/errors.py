"""What goes wrong between us and a provider, in one sentence each with what to do about it.

None of these is a bug of flowc, and none shows a key.
"""

from __future__ import annotations


class ProviderError(Exception):
    """A call that did not do what was asked. `message` is one sentence, `help` what to do (one line, may be empty),
    `status` the HTTP status where there was a reply, `request_id` the provider's number of the call."""

    def __init__(
        self, message: str, *, help: str = "", status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        number = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.message}{number}"


class AuthenticationError(ProviderError):
    """The key is missing, wrong or may not do this."""


class ValidationError(ProviderError):
    """The provider refuses what was asked for: it would refuse it again."""


class NotFoundError(ProviderError):
    """There is no such thing, or not for this key."""


class ConflictError(ProviderError):
    """A name is taken, or a thing is not ready for what was asked."""


class InsufficientQuotaError(ProviderError):
    """The project may not use as much as was asked for. Where it is known: `requested` and `left` are machines of an
    instance type in a region; `regions` are those that would do."""

    region: str | None = None
    instance_type = ""
    requested = 0
    left = 0
    regions: tuple[str, ...] = ()


# It has not acted, and would refuse the same again.
REFUSED = (ValidationError, NotFoundError, ConflictError, InsufficientQuotaError)


class RateLimitError(ProviderError):
    """Too many calls, also after waiting."""


class UnavailableError(ProviderError):
    """The provider cannot be reached, or is not able to answer; nothing was changed by this call."""


class OutcomeUnknownError(ProviderError):
    """A call that changes something got no readable reply: it may have acted or not. It is never repeated blindly."""


class MalformedReplyError(ProviderError):
    """A reply to a call that only reads is not what the provider's document says."""
