"""How a number is written for a reader: money, rates, intervals and probabilities, the same everywhere."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "NOT_AVAILABLE",
    "count",
    "finite",
    "money",
    "money_decimals",
    "money_range",
    "money_short",
    "probability",
    "rate",
    "rate_range",
]

NOT_AVAILABLE = "not available"
MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
NO_BREAK = "\N{NO-BREAK SPACE}"

_WIDE = Context(prec=400)
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "BRL": "R$", "JPY": "¥", "INR": "₹", "KRW": "₩"}
_NO_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"})
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

Number = int | float | Decimal | None


def finite(value: Number) -> Decimal | None:
    """Return the value as an exact decimal, or None when there is no number in it.

    >>> finite(float("nan")) is None
    True
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Decimal(repr(float(value))) if math.isfinite(value) else None
    number = Decimal(value)
    return number if number.is_finite() else None


def money_decimals(amounts: Iterable[Number], currency: str) -> int:
    """Return how many decimals one column of amounts needs: minor units only where the amounts are small.

    >>> money_decimals([120_000, 3.5], "EUR"), money_decimals([12.4, -3.5], "EUR"), money_decimals([12.4], "JPY")
    (0, 2, 0)
    """
    known = [abs(number) for number in map(finite, amounts) if number is not None]
    return minor_unit(currency) if not known or max(known) < 100 else 0


def minor_unit(currency: str) -> int:
    """Return the number of decimals of the currency's smallest coin."""
    return 0 if currency in _NO_MINOR_UNIT else 3 if currency in _THOUSANDTHS else 2


def money(amount: Number, currency: str, decimals: int | None = None) -> str:
    r"""Return an amount with currency, thousands separators and a true minus sign.

    Parameters
    ----------
    amount
        Store currency; None or NaN reads "not available", never 0.
    currency
        ISO 4217 code; the common ones show their symbol.
    decimals
        Digits after the point (default: whole units from 100 on, the currency's minor unit below).

    >>> money(1234567.8, "EUR"), money(-42.5, "USD"), money(1200, "CHF"), money(None, "EUR")
    ('€1,234,568', '−$42.50', 'CHF\xa01,200', 'not available')
    """
    number = finite(amount)
    if number is None:
        return NOT_AVAILABLE
    places = money_decimals([number], currency) if decimals is None else decimals
    text = _grouped(abs(number), places)
    return f"{_sign(number, text)}{_prefix(currency)}{text}"


def money_short(amount: Number, currency: str) -> str:
    """Return an amount in k or M for a chart's label.

    >>> money_short(1_234_567, "EUR"), money_short(-48_200, "EUR"), money_short(999_960, "EUR"), money_short(7, "EUR")
    ('€1.23M', '−€48.2k', '€1.00M', '€7')
    """
    number = finite(amount)
    if number is None:
        return NOT_AVAILABLE
    size = abs(number)
    if size >= 999_950:
        scaled, unit, places = size / 1_000_000, "M", 2
    elif size >= 1_000:
        scaled, unit, places = size / 1_000, "k", 1
    else:
        scaled, unit, places = size, "", 0
    text = _grouped(scaled, places)
    return f"{_sign(number, text)}{_prefix(currency)}{text}{unit}"


def money_range(low: Number, high: Number, currency: str, decimals: int | None = None) -> str:
    """Return an interval of amounts without its currency, which stands beside the estimate it belongs to.

    >>> money_range(-1200, 3400, "EUR")
    '−1,200 to 3,400'
    """
    if finite(low) is None or finite(high) is None:
        return NOT_AVAILABLE
    places = money_decimals([low, high], currency) if decimals is None else decimals
    return f"{_plain_amount(low, places)} to {_plain_amount(high, places)}"


def rate(value: Number) -> str:
    """Return a share (0-1) as a percentage with one decimal.

    >>> rate(0.3124), rate(None)
    ('31.2%', 'not available')
    """
    number = finite(value)
    if number is None:
        return NOT_AVAILABLE
    text = _grouped(abs(number) * 100, 1)
    return f"{_sign(number, text)}{text}%"


def rate_range(low: Number, high: Number) -> str:
    """Return an interval of shares as percentages.

    >>> rate_range(0.298, 0.326)
    '29.8–32.6%'
    """
    lower, upper = finite(low), finite(high)
    if lower is None or upper is None:
        return NOT_AVAILABLE
    if lower < 0:
        return f"{rate(lower)} to {rate(upper)}"
    return f"{_grouped(lower * 100, 1)}{EN_DASH}{_grouped(upper * 100, 1)}%"


def probability(value: Number) -> str:
    """Return a probability in whole percent; never a certainty that was not computed.

    >>> probability(0.9991), probability(0.42), probability(0)
    ('>99%', '42%', '<1%')
    """
    number = finite(value)
    if number is None:
        return NOT_AVAILABLE
    if number > Decimal("0.99"):
        return ">99%"
    return "<1%" if number < Decimal("0.01") else f"{_grouped(number * 100, 0)}%"


def count(value: Number) -> str:
    """Return a count with thousands separators.

    >>> count(541909), count(None)
    ('541,909', 'not available')
    """
    number = finite(value)
    return NOT_AVAILABLE if number is None else f"{_sign(number, '1')}{_grouped(abs(number), 0)}"


def _grouped(number: Decimal, places: int) -> str:
    return f"{number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_WIDE):,f}"


def _plain_amount(amount: Number, places: int) -> str:
    number = finite(amount) or Decimal(0)
    text = _grouped(abs(number), places)
    return f"{_sign(number, text)}{text}"


def _sign(number: Decimal, text: str) -> str:
    return MINUS if number < 0 and any(digit in "123456789" for digit in text) else ""


def _prefix(currency: str) -> str:
    return _SYMBOLS.get(currency, f"{currency}{NO_BREAK}")
