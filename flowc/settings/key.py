"""The API key that the system's own keyring holds, where the optional package `keyring` is installed."""

from __future__ import annotations

from flowc.settings.values import Setting

SERVICE, ENTRY = "flowc", "api_key"


def stored_key() -> Setting | None:
    """The key in the keyring, None without one, without the package, or where the keyring is locked."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        found = keyring.get_password(SERVICE, ENTRY)
    except Exception:  # backends raise what they like: locked, no session bus, no module
        return None
    return Setting(name="api_key", values=(found,), origin="the system's keyring") if found else None
