from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from marginwise.demo.plan import StorePlan
from marginwise.demo.store import generate_tables
from marginwise.demo.truth import StoreTruth, true_verdict

if TYPE_CHECKING:
    from tests.demo.conftest import Store

RECOMPUTE = Path(__file__).with_name("recompute.sql").read_text(encoding="utf-8")


def test_realised_truth_equals_a_recomputation_from_the_files(clean_store: Store) -> None:
    con, truth = clean_store
    con.execute(f"set variable horizon = {truth.horizon_days}")
    con.execute(f"set variable window_start = date '{truth.window_start_date}'")
    con.execute(f"set variable window_end = date '{truth.window_end_date}'")
    rows = {(kind, name): rest for kind, name, *rest in con.execute(RECOMPUTE).fetchall()}
    assert set(rows) == {(unit.unit_kind, unit.unit_name) for unit in truth.units}
    for unit in truth.units:
        customers, margin, repeat, spend = rows[unit.unit_kind, unit.unit_name]
        assert customers == unit.realised_customers_count, unit.unit_name
        assert float(margin) == pytest.approx(unit.realised_margin_amount, abs=0.02), unit.unit_name
        assert repeat == pytest.approx(unit.realised_repeat_rate, abs=1e-6), unit.unit_name
        assert float(spend or 0) == pytest.approx(unit.spend_amount or 0, abs=0.02), unit.unit_name


def test_window_follows_the_newest_order(clean_store: Store) -> None:
    con, truth = clean_store
    newest, horizon = con.execute("select max(ordered_at)::date from orders").fetchone()[0], truth.horizon_days
    assert (newest - truth.as_of_date).days == 1
    assert (truth.as_of_date - truth.window_end_date).days == horizon
    assert (truth.window_end_date - truth.window_start_date).days == 364
    assert (truth.window_start_date - truth.first_day).days >= horizon


def test_totals_equal_sums_over_the_files(clean_store: Store) -> None:
    con, truth = clean_store
    counted = con.execute(
        """
        select count(*), count(*) filter (where status = 'cancelled'), count(*) filter (where customer_id is null)
        from orders where status <> 'void' and not is_test
        """
    ).fetchone()
    assert counted == tuple(
        truth.totals[name] for name in ("orders_count", "cancelled_orders_count", "guest_orders_count")
    )
    gross = con.execute(
        """
        select sum((unit_price * quantity)::double * rate) from order_items join orders using (order_id)
        join exchange_rates on date = ordered_at::date and exchange_rates.currency = orders.currency
        where status <> 'void' and not is_test
        """
    ).fetchone()[0]
    assert float(gross) == pytest.approx(truth.totals["gross_sales_amount"], abs=0.02)
    spend = con.execute(
        """
        select sum(spend_amount * rate) from marketing_spend join exchange_rates on date = spend_date
        and exchange_rates.currency = marketing_spend.currency
        """
    ).fetchone()[0]
    assert float(spend) == pytest.approx(truth.totals["spend_amount"], abs=0.02)


def test_bridge_of_the_totals_closes(clean_store: Store) -> None:
    _, truth = clean_store
    t = truth.totals
    kept_discount = t["gross_sales_amount"] - t["discount_amount"] - t["cancelled_amount"] - t["refund_amount"]
    assert kept_discount == pytest.approx(t["net_revenue_amount"], abs=0.05)


def test_expected_values_are_the_mean_of_what_is_drawn() -> None:
    plan, seeds = StorePlan(sessions_per_order=0.0), 20
    truths = [generate_tables(orders=3000, seed=seed, plan=plan)[1] for seed in range(seeds)]
    for name in plan.channels:
        units = [truth.unit("channel", name) for truth in truths]
        margins = [(u.realised_margin_amount - u.expected_margin_amount) / u.margin_standard_error for u in units]
        rates = [
            (u.realised_repeat_rate - u.expected_repeat_rate)
            / np.sqrt(u.expected_repeat_rate * (1 - u.expected_repeat_rate) / u.realised_customers_count)
            for u in units
        ]
        assert abs(np.mean(margins)) * np.sqrt(seeds) < 3.5, name
        assert abs(np.mean(rates)) * np.sqrt(seeds) < 3.5, name
        assert 0.5 < np.std(rates) < 1.6, name


def test_default_store_plants_every_verdict_clearly(clean_store: Store) -> None:
    _, truth = clean_store
    planted = {unit.unit_name: unit for unit in truth.units if unit.unit_kind == "channel"}
    expected = {
        "Paid Search": "scale",
        "Paid Shopping": "scale",
        "Paid Social": "kill",
        "Display": "kill",
        "Affiliates": "fix",
        "Influencer": "insufficient",
        "Email": "scale",
        "Organic Search": "scale",
        "Direct": "scale",
        "Unassigned": None,
        "Podcast": "kill",
    }
    assert {name: unit.verdict for name, unit in planted.items()} == expected
    for name in ("Paid Search", "Paid Shopping", "Email", "Paid Social", "Display", "Affiliates", "Podcast"):
        assert planted[name].is_margin_clear, name
        assert planted[name].is_repeat_clear, name
    assert {unit.lever for unit in planted.values() if not unit.is_paid} == {"effort", None}
    assert not planted["Influencer"].has_spend
    assert planted["Influencer"].spend_amount is None


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, "scale"),
        ({"repeat": 0.2, "given_repeat": 0.2}, "fix"),
        ({"margin": -900.0, "given_margin": -800.0}, "fix"),
        ({"margin": -900.0, "given_margin": -800.0, "repeat": 0.2, "given_repeat": 0.2}, "kill"),
        ({"margin": -900.0, "given_margin": -800.0, "customers": 12.0, "given_repeat": 0.2}, "kill"),
        ({"has_spend": False}, "insufficient"),
        ({"margin": -50.0}, "insufficient"),
        ({"margin": 20.0, "customers": 80.0, "margin_error": 100.0}, "insufficient"),
    ],
)
def test_verdict_of_the_truth(given: dict[str, float], verdict: str) -> None:
    base = {
        "has_spend": True, "margin": 900.0, "margin_error": 10.0, "customers": 400.0, "repeat": 0.4, "rest": 0.3,
        "given_margin": 1000.0, "given_repeat": 0.4, "given_rest": 0.3,
    }  # fmt: skip
    assert true_verdict(**{**base, **given})[0] == verdict  # type: ignore[arg-type]


def test_truth_survives_its_file(clean_store: Store, tmp_path: Path) -> None:
    _, truth = clean_store
    truth.write(tmp_path / "truth.json")
    again = StoreTruth.read(tmp_path / "truth.json")
    assert again.units == truth.units
    assert (again.totals, again.rows, again.window_end_date) == (truth.totals, truth.rows, truth.window_end_date)
