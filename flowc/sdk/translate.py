"""What goes wrong below, said as an error of `errors`: in Python's words where the command line's would mislead."""

from __future__ import annotations

from contextlib import contextmanager

from flowc.providers import errors as below
from flowc.sdk import errors
from flowc.secret import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flowc.tasks.refused import RefusedTaskError

_SAME: dict[type[below.ProviderError], type[errors.FlowError]] = {
    below.AuthenticationError: errors.AuthenticationError,
    below.ValidationError: errors.ValidationError,
    below.NotFoundError: errors.NotFoundError,
    below.ConflictError: errors.ConflictError,
    below.RateLimitError: errors.RateLimitError,
    below.UnavailableError: errors.UnavailableError,
    below.OutcomeUnknownError: errors.UnavailableError,
    below.MalformedReplyError: errors.UnavailableError,
}
# What helps on a command line, and what it is in Python.
_WORDS = (
    ("--max-price-per-hour ", "max_price_per_hour="),
    ("--max-price-per-hour", "max_price_per_hour"),
    ("--provider local", "Flow(provider='local')"),
    ("--force-new submits it once more", "force_new=True submits it once more"),
    ("an --idempotency-key of its own", "an idempotency_key of its own"),
    ("--after ", "after="),
    ("--ssh-key", "ssh_keys"),
    ("--region", "region"),
    ("--name", "name"),
)


@contextmanager
def translated() -> Iterator[None]:
    """Turns what the rooms below raise into FlowError; what is no failure of theirs passes."""
    from flowc.settings.lookup import SettingsError
    from flowc.submit.journal import JournalError
    from flowc.submit.steps import InterruptedSubmissionError, RefusedError
    from flowc.tasks.refused import RefusedTaskError

    try:
        yield
    except InterruptedSubmissionError as error:
        raise errors.InterruptedSubmissionError(
            masked(str(error.cause)),
            key=error.key,
            suggestions=("submit the same again: it goes on where it was", f"`flowc cancel {error.key}` ends it"),
        ) from None
    except RefusedError as error:
        raise public(error.cause) from None
    except below.ProviderError as error:
        raise public(error) from None
    except (SettingsError, JournalError) as error:
        message = masked(str(error)).replace("flag --", "")
        raise errors.ConfigurationError(message, suggestions=_suggestions(error.help)) from None
    except RefusedTaskError as error:
        raise _refused(error) from None


def _refused(error: RefusedTaskError) -> errors.FlowError:
    from flowc.tasks.refused import LivesError, NoTaskError

    kinds = {NoTaskError: errors.NotFoundError, LivesError: errors.ConflictError}
    kind: type[errors.FlowError] = kinds.get(type(error), errors.ValidationError)
    return kind(_in_python(masked(str(error))), suggestions=_suggestions(error.help))


def public(error: below.ProviderError) -> errors.FlowError:
    """An error of a provider, for the caller."""
    message, suggestions = masked(error.message), _suggestions(error.help)
    if isinstance(error, below.InsufficientQuotaError):
        return _quota(error, message, suggestions)
    kind: type[errors.FlowError] = _SAME.get(type(error), errors.ProviderError)
    return kind(message, suggestions=suggestions, request_id=error.request_id)


def _quota(error: below.InsufficientQuotaError, message: str, suggestions: tuple[str, ...]) -> errors.FlowError:
    if error.region is None:
        return errors.InsufficientQuotaError(message, suggestions=suggestions, request_id=error.request_id)
    return errors.InsufficientQuotaError(
        f"Quota exceeded in {error.region}",
        details=(
            f"Current quota: {_machines(error.left, error.instance_type)} left",
            f"Requested: {_machines(error.requested, error.instance_type)}",
        ),
        suggestions=(*(f"Try region: {region}" for region in error.regions), "Contact support for quota increase"),
        request_id=error.request_id,
        region=error.region,
        requested=error.requested,
        left=error.left,
        regions=error.regions,
    )


def _machines(count: int, name: str) -> str:
    from flowc import catalog

    known = catalog.bundled().named(name)
    machines = f"{count} x {name}"
    return machines if known is None else f"{count * known.gpus} {known.family.upper()} GPUs ({machines})"


def _suggestions(help: str) -> tuple[str, ...]:
    return (masked(_in_python(help)),) if help else ()


def _in_python(text: str) -> str:
    for spelt, instead in _WORDS:
        text = text.replace(spelt, instead)
    return text
