"""What a request must look like: shapes (422 with a list of places), names, money, the startup script (400: a word).

A check is given a JSON value and gives it back, or raises `Wrong`. All wrong places of a body are told at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Check = Callable[[Any], Any]
Fields = Mapping[str, tuple[bool, Check]]

VOLUME_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
# No source states the rule; a name that all known clients take is taken.
BID_NAME = re.compile(r"[a-z]([a-z0-9-]{0,58}[a-z0-9])?")
MONEY = re.compile(r"\$([0-9]{1,9})\.([0-9]{2})")
PUBLIC_KEY = re.compile(
    r"(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]{20,}={0,2}( .*)?"
)
SCRIPT_BYTES = 10_000
PIB_GB = 2 * 1024**5 / 10**9


class Refused(Exception):
    """The reply is this status with this `detail`."""

    def __init__(self, status: int, detail: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


class Wrong(Exception):
    """A value is not what is asked for: one or more `(place below the value, message, type)`."""

    def __init__(self, *found: tuple[tuple[str | int, ...], str, str]) -> None:
        super().__init__(found)
        self.found = found


def wrong(message: str, kind: str) -> Wrong:
    return Wrong(((), message, kind))


def text(pattern: re.Pattern[str] | None = None, longest: int | None = None, shortest: int = 0) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong("Input should be a valid string", "string_type")
        if len(value) < shortest:
            raise wrong(f"String should have at least {shortest} characters", "string_too_short")
        if longest is not None and len(value) > longest:
            raise wrong(f"String should have at most {longest} characters", "string_too_long")
        if pattern is not None and not pattern.fullmatch(value):
            raise wrong(f"String should match pattern '^{pattern.pattern}$'", "string_pattern_mismatch")
        return value

    return check


def whole(least: int | None = None, most: int | None = None) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong("Input should be a valid integer", "int_type")
        if least is not None and value < least:
            raise wrong(f"Input should be greater than or equal to {least}", "greater_than_equal")
        if most is not None and value > most:
            raise wrong(f"Input should be less than or equal to {most}", "less_than_equal")
        return value

    return check


def number(above: float, below: float) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise wrong("Input should be a valid number", "float_type")
        if not above < value < below:
            raise wrong(f"Input should be greater than {above} and less than {below:.0f}", "out_of_range")
        return value

    return check


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("Input should be a valid boolean", "bool_type")
    return value


def moment(value: Any) -> str:
    found = text()(value)
    try:
        aware = datetime.fromisoformat(found).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise wrong("Input should be a valid datetime", "datetime_parsing")
    return str(found)


def one_of(*words: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise wrong(f"Input should be one of {', '.join(words)}", "enum")
        return value

    return check


def or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def list_of(check: Check) -> Check:
    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise wrong("Input should be a valid list", "list_type")
        return _each(list(enumerate(value)), lambda _: check)

    return check_all


def record(fields: Fields) -> Check:
    """An object. Keys that nobody asked for are passed over, as the provider does."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong("Input should be a valid dictionary", "dict_type")
        missing = [((name,), "Field required", "missing") for name in fields if fields[name][0] and name not in value]
        present = [(name, value[name]) for name in fields if name in value]
        try:
            found = _each(present, lambda name: fields[name][1])
        except Wrong as error:
            raise Wrong(*missing, *error.found) from None
        if missing:
            raise Wrong(*missing)
        return {name: each for (name, _), each in zip(present, found, strict=True)}

    return check


def _each(items: list[tuple[Any, Any]], check_of: Callable[[Any], Check]) -> list[Any]:
    found, bad = [], []
    for place, value in items:
        try:
            found.append(check_of(place)(value))
        except Wrong as error:
            bad += [((place, *below), message, kind) for below, message, kind in error.found]
    if bad:
        raise Wrong(*bad)
    return found


def apply(check: Check, value: Any, where: str) -> Any:
    """Raises the 422 that lists all wrong places, below `where` (`body` or `query`)."""
    try:
        return check(value)
    except Wrong as error:
        detail = [{"loc": [where, *place], "msg": message, "type": kind} for place, message, kind in error.found]
        raise Refused(422, detail) from None


# The words of a query are text: these read them.


def _reads(value: str, pattern: str, convert: Callable[[str], Any], check: Check, message: str, kind: str) -> Any:
    if not re.fullmatch(pattern, value):
        raise wrong(message, kind)
    return check(convert(value))


def word_whole(least: int, most: int) -> Check:
    check = whole(least, most)
    return lambda value: _reads(value, "[+-]?[0-9]{1,18}", int, check, "Input should be a valid integer", "int_parsing")


def word_flag(value: str) -> Any:
    message = "Input should be a valid boolean"
    return _reads(
        value, "true|false|True|False|1|0", lambda v: v.lower() in ("true", "1"), flag, message, "bool_parsing"
    )


def word_list(check: Check) -> Check:
    """Words with commas between them."""
    return lambda value: list_of(check)(value.split(","))


# Money and scripts.


def cents(value: str) -> int:
    """Of `$25.60`, in the body's `limit_price`; raises the 422 otherwise."""
    read = MONEY.fullmatch(value)
    if read is None:
        detail = [{"loc": ["body", "limit_price"], "msg": "price must look like $12.34", "type": "value_error"}]
        raise Refused(422, detail)
    return int(read[1]) * 100 + int(read[2])


def dollars(amount: int, form: str = "plain") -> str:
    """`$1234.56`, with `commas` `$1,234.56`, and `bare` without the sign."""
    whole_part = f"{amount // 100:,}" if form == "commas" else str(amount // 100)
    return f"{'' if form == 'bare' else '$'}{whole_part}.{amount % 100:02}"


def startup_script(value: str | None, too_long: int) -> None:
    if value is None:
        return
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > SCRIPT_BYTES:
        message = f"startup_script is {size} bytes, at most {SCRIPT_BYTES} are allowed"
        if too_long == 422:
            detail = [{"loc": ["body", "launch_specification", "startup_script"], "msg": message, "type": "too_long"}]
            raise Refused(422, detail)
        raise Refused(too_long, message)
    if value.split("\n", 1)[0] != "#!/bin/bash":
        raise Refused(400, "startup_script must begin with #!/bin/bash")
