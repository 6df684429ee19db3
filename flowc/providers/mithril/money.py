"""Money as the API writes it: `"$15.60"`, cents as whole numbers, dollars as numbers. Exact everywhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal


def dollars(value: object) -> Decimal | None:
    """USD of a text such as `$1,015.60`, `15.6`, or of a JSON number; None for what is neither, below 0 or beyond any
    price."""
    from decimal import Decimal, InvalidOperation

    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip().removeprefix("$").replace(",", "") if isinstance(value, str | int | float) else ""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found < 10**12 else None


def of_cents(value: object) -> Decimal | None:
    """USD of a whole number of cents; None for what is none."""
    from decimal import Decimal

    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return Decimal(value) / 100


def written(amount: Decimal) -> str:
    """As a bid says it: a dollar sign and two decimals; parts of a cent are given up, so that nothing gets dearer."""
    from decimal import ROUND_DOWN, Decimal

    return f"${amount.quantize(Decimal('0.01'), rounding=ROUND_DOWN)}"


def exact(amount: Decimal) -> str:
    """A decimal text with at most six places; parts of a micro-dollar are rounded up."""
    from decimal import ROUND_UP, Decimal

    rounded = amount.quantize(Decimal("0.000001"), rounding=ROUND_UP)
    return f"{rounded:f}".rstrip("0").rstrip(".") if rounded else "0"
