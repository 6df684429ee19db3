"""The API key in the system's own keyring, where the optional package `keyring` is installed and finds one. Backends
raise what they like: locked, no session bus, no module; that is as if there were none."""

from __future__ import annotations

from flowc.settings.setting import Setting

SERVICE, ENTRY = "flowc", "api_key"
ORIGIN = "the system's keyring"


def stored_key() -> Setting | None:
    """The key in the keyring, None without one."""
    try:
        import keyring

        found = keyring.get_password(SERVICE, ENTRY)
    except Exception:
        return None
    return Setting(name="api_key", values=(found,), origin=ORIGIN) if found else None


def has_keyring() -> bool:
    """Whether there is one that keeps something."""
    try:
        import keyring

        return float(keyring.get_keyring().priority) > 0  # those that keep nothing have none
    except Exception:
        return False


def store_key(key: str) -> bool:
    """Whether the keyring has taken the key, and gives it back."""
    try:
        import keyring

        keyring.set_password(SERVICE, ENTRY, key)
        return bool(keyring.get_password(SERVICE, ENTRY) == key)
    except Exception:
        return False
