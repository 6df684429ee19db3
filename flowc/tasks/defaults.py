"""Settings that stand in for job flags which are not given."""

from __future__ import annotations

from flowc.inputs import Flags, OldSpelling
from flowc.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.settings.asked import Asked
    from flowc.settings.setting import Setting

# Both have the field's name.
_SETTINGS = ("project", "region", "ssh_keys")
_VARIABLE = "environment variable "


def defaults_of(given: Flags, settings: Asked, spans: dict[str, Span]) -> Flags:
    """What the settings say for flags that are not given; `spans` gets their places. Raises SettingsError."""
    values: dict[str, object] = {}
    for field in _SETTINGS:
        if getattr(given, field):
            continue
        found = settings.get(field)
        if found.values and found.origin is not None:
            values[field] = found.values if field == "ssh_keys" else found.values[0]
            spans[field] = _place(found.origin, ",".join(found.values))
    return Flags(**values) if values else Flags()  # type: ignore[arg-type]


def older_names(settings: Asked) -> tuple[OldSpelling, ...]:
    """Settings that hold by a name of an earlier tool. Raises SettingsError."""
    return tuple(_older(each) for each in settings.older())


def _older(setting: Setting) -> OldSpelling:
    name = (setting.origin or "").removeprefix(_VARIABLE)
    source = Source("<environment>" if setting.origin != name else "<settings>", name)
    return OldSpelling(spelling=name.rpartition(", ")[2], span=Span(source, 0, len(name)), instead=setting.instead)


def _place(origin: str, value: str) -> Span:
    """Where a setting stands, as a place of its own."""
    if origin.startswith(_VARIABLE):
        source, before = "<environment>", origin.removeprefix(_VARIABLE) + "="
    else:
        source, before = "<settings>", f"{origin}: "
    text = before + value
    return Span(Source(source, text), len(before), len(text))
