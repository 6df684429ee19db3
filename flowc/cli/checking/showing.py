"""What a check shows of its findings: flags over settings, and a baseline."""

from __future__ import annotations

from flowc.cli.arguments import UsageError
from flowc.diag.code import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flowc.cli.arguments import Words
    from flowc.diag.sink import Diagnostic
    from flowc.settings.asked import Asked
    from flowc.silence.baseline import Baseline
    from flowc.silence.choice import Choice

_KEYS = ("select", "ignore", "exclude", "severity", "judge")
_PER_FILE = "per_file_ignores"


class Showing:
    """`exclude`: patterns of files that folders do not give. Raises UsageError for words that name no finding, settings
    that cannot be read and a baseline that is none."""

    def __init__(self, words: Words, settings: Asked | None) -> None:
        given = {key: _split(words.texts(key)) for key in ("select", "ignore")}
        given["exclude"] = words.texts("exclude")
        level = words.text("severity")
        given["severity"] = (level,) if level else ()
        _verify((*given["select"], *given["ignore"]), "")
        found = {**_settings(settings), **{key: values for key, values in given.items() if values}}
        self.exclude = found.get("exclude", ())
        self.judges = found.get("judge", ())
        self._choice = _choice(found)
        path = words.text("baseline")
        self.baseline_path = path
        self._baseline = _baseline(path) if path is not None and not words.flag("add_ignores") else None
        # What tells this showing from others.
        self.key = found, None if self._baseline is None else self._baseline.known

    def of(self, diagnostics: tuple[Diagnostic, ...], path: str) -> tuple[Diagnostic, ...]:
        """What is shown of a file's findings."""
        if self._choice is not None:
            diagnostics = self._choice.shown(diagnostics, path)
        if self._baseline is not None:
            diagnostics = self._baseline.new(diagnostics, path)
        return diagnostics


def _split(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.strip() for text in texts for word in text.split(",") if word.strip())


def _settings(settings: Asked | None) -> dict[str, tuple[str, ...]]:
    if settings is None:
        return {}
    from flowc.settings.setting import SettingsError

    found: dict[str, tuple[str, ...]] = {}
    try:
        for key in (*_KEYS, _PER_FILE):
            setting = settings.get(key) if settings.may_say(key) else None
            if setting is not None and setting.values:
                found[key] = setting.values
                if key in ("select", "ignore"):
                    _verify(setting.values, f"{setting.origin}: ")
                if key == "severity":
                    _verify_level(setting.values[0], setting.origin or "")
                if key == _PER_FILE:
                    _verify([_pair(each, setting.origin or "")[1] for each in setting.values], f"{setting.origin}: ")
    except SettingsError as error:
        raise UsageError(error.message, error.help) from None
    return found


def _choice(found: Mapping[str, tuple[str, ...]]) -> Choice | None:
    if not any(found.get(key) for key in ("select", "ignore", "severity", _PER_FILE)):
        return None
    from flowc.silence.choice import Choice

    return Choice(
        select=found.get("select", ()),
        ignore=found.get("ignore", ()),
        severity=found.get("severity", (SEVERITIES[-1],))[0],
        per_file=tuple(_pair(each, "") for each in found.get(_PER_FILE, ())),
    )


def _pair(text: str, origin: str) -> tuple[str, str]:
    pattern, colon, word = text.rpartition(":")
    if not colon or not pattern.strip() or not word.strip():
        raise UsageError(f"{origin}: `{text}` is no pattern of files and a code", 'such as "old/*.sh:FC820"')
    return pattern.strip(), word.strip()


def _verify_level(level: str, origin: str) -> None:
    if level not in SEVERITIES:
        raise UsageError(f"{origin}: there is no severity `{level}`", f"it is one of {', '.join(SEVERITIES)}")


def _verify(words: Iterable[str], origin: str) -> None:
    words = [word for word in words if not (word[:2].upper() == "FC" and word[2:].isdigit() and len(word) < 5)]
    if not words:
        return
    from flowc.silence.choice import WordError, verify

    try:
        verify(words)
    except WordError as error:
        raise UsageError(f"{origin}{error}", error.help) from None


def _baseline(path: str) -> Baseline:
    from flowc.silence.baseline import BaselineError, read

    make = f"flowc check --add-ignores --baseline {path} … keeps what is found now"
    try:
        return read(path)
    except BaselineError as error:
        raise UsageError(str(error), make) from None
    except OSError as error:
        raise UsageError(f"cannot read the baseline `{path}`: {(error.strerror or str(error)).lower()}", make) from None
