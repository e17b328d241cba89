from __future__ import annotations

from benchmarks.evidence import measure


def test_the_model_costs_few_times_the_sorting_of_its_rows() -> None:
    cost = measure(customers=200_000, units=20)
    assert cost.of_sort < 60
