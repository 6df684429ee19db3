"""Kubernetes quantities (`1.5Gi`, `500m`, `1e3`): read exactly, as whole numbers of 10⁻⁹."""

from __future__ import annotations

from flowc.patterns import at_first_use, remembered

NANO = 10**9
MOST = (2**63 - 1) * NANO  # what is larger counts as this

_parts = at_first_use(r"([+-]?)([0-9]*)(\.?)([0-9]*)(.*)", "fullmatch", 16)  # re.DOTALL
_exponent = at_first_use(r"[eE]([+-]?[0-9]+)", "fullmatch")

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}

# What people write, and the suffix that they mean.
_MEANT = {
    **{f"{unit}{b}": f"{unit}i" for unit in "KMGTPE" for b in ("B", "b", "iB", "ib")},
    **{f"{unit.lower()}{b}": f"{unit}i" for unit in "KMGTPE" for b in ("b", "B", "i", "iB", "ib")},
    **{unit.lower(): unit for unit in "GTP"},
    "K": "k",
    "B": "",
    "b": "",
}


class QuantityError(ValueError):
    """No quantity. `expected` says what one looks like, `instead` what was likely meant, or is None."""

    def __init__(self, expected: str, instead: str | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.instead = instead


@remembered(256)
def parse(text: str) -> int:
    """The quantity in units of 10⁻⁹ (bytes, CPUs, pieces), rounded away from zero; raises QuantityError."""
    sign, whole, fraction, exponent, base = _read(text)
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0
    places = len(digits) - len(fraction) + (exponent if base == 10 else 0)
    if places > 40:
        return -MOST if sign == "-" else MOST
    if places < -10:
        value = 1
    else:
        number = int(digits[:400])  # more places than could change what is rounded up
        shift = (exponent if base == 10 else 0) + 9 - len(fraction) + max(0, len(digits) - 400)
        if base == 2:
            number <<= exponent
        value = number * 10**shift if shift >= 0 else -(-number // 10**-shift)
    return -min(value, MOST) if sign == "-" else min(value, MOST)


def bytes_of(scaled: int) -> int:
    """Whole units of a parsed quantity (bytes, GPUs), rounded up."""
    return -(-scaled // NANO)


def milli_cpus(scaled: int) -> int:
    """Thousandths of a CPU, rounded up, as the scheduler counts them."""
    return -(-scaled // (NANO // 1000))


def is_whole(scaled: int) -> bool:
    return scaled % NANO == 0


def canonical(text: str) -> str:
    """The quantity as Kubernetes prints it: no fraction, the largest suffix of the family that it was written in."""
    *_, base = _read(text)
    scaled = parse(text)
    written_with_e = _exponent(text.strip().lstrip("+-0123456789.")) is not None
    sign, value = ("-" if scaled < 0 else ""), abs(scaled)
    if value == 0:
        return "0"
    if base == 2 and value >= 1024 * NANO:
        number, suffix = bytes_of(value), ""
        for name in _BINARY:
            if number % 1024:
                break
            number, suffix = number // 1024, name
        return f"{sign}{number}{suffix}"
    power = -9
    while value % 1000 == 0 and power < 18:
        value, power = value // 1000, power + 3
    suffix = next(name for name, each in _DECIMAL.items() if each == power)
    return f"{sign}{value}{f'e{power}' if written_with_e and power else suffix}"


def _read(text: str) -> tuple[str, str, str, int, int]:
    """Sign, digits before and behind the point, exponent and its base. Blanks around it do not count."""
    text = text.strip()
    found = _parts(text)
    assert found is not None  # every part of the pattern may be empty
    sign, whole, point, fraction, suffix = found.groups()
    if not (whole or point):
        raise QuantityError(_EXPECTED, _comma(text))
    if suffix in _BINARY:
        return sign, whole, fraction, _BINARY[suffix], 2
    if suffix in _DECIMAL:
        return sign, whole, fraction, _DECIMAL[suffix], 10
    exponent = _exponent(suffix)
    if exponent is not None:
        power = exponent[1]
        return sign, whole, fraction, int(power) if len(power) < 6 else (-(10**5) if power[0] == "-" else 10**5), 10
    raise QuantityError(_EXPECTED, _instead(sign + whole + point + fraction, suffix))


_EXPECTED = "a number, maybe with a suffix: m, k, M, G, T, Ki, Mi, Gi, Ti"


def _instead(number: str, suffix: str) -> str | None:
    """What was likely meant by a number with a suffix that there is not."""
    word = suffix.strip()
    if word in _BINARY or word in _DECIMAL:
        return number + word
    return number + _MEANT[word] if word in _MEANT else _comma(number + suffix)


def _comma(text: str) -> str | None:
    if text.count(",") != 1:
        return None
    with_point = text.replace(",", ".")
    try:
        _read(with_point)
    except QuantityError:
        return None
    return with_point
