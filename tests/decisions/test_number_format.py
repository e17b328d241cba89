from __future__ import annotations

from decimal import Decimal

import pytest

from marginwise.decisions.number_format import (
    NOT_AVAILABLE,
    count,
    money,
    money_decimals,
    money_range,
    money_short,
    probability,
    rate,
    rate_range,
)

NAN = float("nan")


@pytest.mark.parametrize("missing", [None, NAN, float("inf"), Decimal("NaN"), True])
def test_what_is_no_number_is_not_available_and_never_zero(missing: float | None) -> None:
    for written in (money(missing, "EUR"), money_short(missing, "EUR"), rate(missing), probability(missing),
                    count(missing), money_range(missing, 1, "EUR"), money_range(1, missing, "EUR"),
                    rate_range(missing, 0.5), rate_range(0.5, missing)):  # fmt: skip
        assert written == NOT_AVAILABLE


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (0, "EUR", "€0.00"),
        (Decimal("0.004"), "EUR", "€0.00"),
        (Decimal("-0.004"), "EUR", "€0.00"),
        (-0.4, "EUR", "−€0.40"),
        (99.995, "USD", "$100.00"),
        (1_938_509.75, "USD", "$1,938,510"),
        (-85_338.69, "GBP", "−£85,339"),
        (12.5, "JPY", "¥13"),
        (Decimal("1.2345"), "KWD", "KWD\u00a01.235"),
        (Decimal("12345678901234567890123.5"), "EUR", "€12,345,678,901,234,567,890,124"),
    ],
)
def test_money_has_symbol_separators_and_true_minus(amount: float, currency: str, written: str) -> None:
    assert money(amount, currency) == written


def test_one_column_has_one_precision() -> None:
    assert money_decimals([120_000, 3.5, None], "EUR") == 0
    assert money_decimals([99.9, -3.5, NAN], "EUR") == 2
    assert money_decimals([], "EUR") == 2
    assert money(3.5, "EUR", 0) == "€4"


def test_halves_go_up_as_in_the_books() -> None:
    assert [money(Decimal(amount), "EUR", 2) for amount in ("0.125", "0.135", "-0.125")] == ["€0.13", "€0.14", "−€0.13"]


def test_short_amounts_change_unit_at_the_rounded_value() -> None:
    assert [money_short(amount, "EUR") for amount in (999, 1_000, 999_949, 999_950, -2_310_480)] == [
        "€999", "€1.0k", "€999.9k", "€1.00M", "−€2.31M",
    ]  # fmt: skip


def test_probability_never_claims_certainty() -> None:
    assert [probability(p) for p in (0.0, 0.009, 0.01, 0.5, 0.99, 0.991, 1.0)] == [
        "<1%", "<1%", "1%", "50%", "99%", ">99%", ">99%",
    ]  # fmt: skip


def test_negative_rates_keep_their_sign() -> None:
    assert rate(-0.0512) == "−5.1%"
    assert rate_range(-0.02, 0.03) == "−2.0% to 3.0%"
