"""What may go wrong, for who calls from Python: one hierarchy below FlowError.

`str` of each says what happened, then what is known about it, then what to do.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypedDict, Unpack

    from flowc.diag.sink import Diagnostic

    class Known(TypedDict, total=False):
        """What any FlowError takes besides its message."""

        details: Iterable[str]
        suggestions: Iterable[str]
        request_id: str | None


class FlowError(Exception):
    """Base of all. `message` is one sentence, `details` are lines about it, `suggestions` what to do, one line each;
    `request_id` is the provider's number of a call that failed."""

    def __init__(
        self,
        message: str,
        *,
        details: Iterable[str] = (),
        suggestions: Iterable[str] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.suggestions = tuple(suggestions)
        self.request_id = request_id

    def __str__(self) -> str:
        lines = [self.message, *(f"  {line}" for line in self.details)]
        left = [line for line in self.suggestions if line not in self.details]
        if left:
            lines += ["  Suggestions:", *(f"    - {line}" for line in left)]
        if self.request_id:
            lines.append(f"  Request: {self.request_id}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # As it is, whatever its class takes: a pool of processes hands errors on by pickling them.
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[FlowError], args: tuple[Any, ...]) -> FlowError:
    """An error of a kind without its fields; they are put in afterwards."""
    return kind.__new__(kind, *args)


class ValidationError(FlowError):
    """What was asked for is not possible as it was written. `field` is the argument, where it was one; `diagnostics`
    are all findings of flowc about the task."""

    def __init__(
        self, message: str, *, field: str | None = None, diagnostics: Iterable[Diagnostic] = (), **known: Unpack[Known]
    ) -> None:
        super().__init__(message, **known)
        self.field = field
        self.diagnostics = tuple(diagnostics)


class ConfigurationError(FlowError):
    """A setting is missing or cannot be used: no API key, no such provider, a file that cannot be read."""


class AuthenticationError(FlowError):
    """The provider does not know the key, or it may not do this."""


class NotFoundError(FlowError):
    """There is no such task, or no such thing at the provider."""


class ConflictError(FlowError):
    """It is there already, or not ready for what was asked."""


class InsufficientQuotaError(FlowError):
    """The project may not use as much as was asked for. `regions` are those that would do; what is not known is
    None."""

    def __init__(
        self,
        message: str,
        *,
        region: str | None = None,
        requested: int | None = None,
        left: int | None = None,
        regions: Iterable[str] = (),
        **known: Unpack[Known],
    ) -> None:
        super().__init__(message, **known)
        self.region = region
        self.requested = requested
        self.left = left
        self.regions = tuple(regions)


class RateLimitError(FlowError):
    """Too many calls, also after waiting."""


class UnavailableError(FlowError):
    """The provider, or a machine, cannot be reached or does not answer as it should: try again."""


class InterruptedSubmissionError(FlowError):
    """A submission was cut short: bids may have been placed. Submitting the same again goes on with it. `key` names
    it."""

    def __init__(self, message: str, *, key: str, **known: Unpack[Known]) -> None:
        super().__init__(message, **known)
        self.key = key


class ProviderError(FlowError):
    """The provider refused, or failed, in a way of its own."""


class TaskTimeoutError(FlowError, TimeoutError):
    """The time is up, and the task has not ended; it goes on."""


class RemoteError(FlowError):
    """The function of `Flow.invoke` raised an exception on the machine: `type_name` and `remote_message` are its own,
    `traceback` is its text, with those that it was caused by; `python` is the version there."""

    def __init__(self, type_name: str, remote_message: str, traceback: str, *, python: str | None = None) -> None:
        super().__init__(f"{type_name}: {remote_message}" if remote_message else type_name)
        self.type_name = type_name
        self.remote_message = remote_message
        self.traceback = traceback
        self.python = python

    def __str__(self) -> str:
        import platform

        here = platform.python_version()
        other = self.python is not None and self.python.split(".")[:2] != here.split(".")[:2]
        version = f"\n\nOn Python {self.python}; this is {here}" if other else ""
        return f"{self.message}\n\n{self.traceback}".rstrip() + version


FlowcError = FlowError
