"""The weather in every city, and what it does to the day's demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from marginwise.demo.arrow_columns import Array, contract_table, days, decimals

if TYPE_CHECKING:
    from marginwise.demo.chance import Streams
    from marginwise.demo.plan import StorePlan
    from marginwise.demo.season import Season

__all__ = ["Weather"]

_WARM_DAY = 201
_HALF_SWING = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """Weather by city and day. C cities, D days.

    Parameters
    ----------
    temperature, normal
        Degrees Celsius, rounded as in the table, and what the day of the year brings. Shapes (C, D).
    rain
        Millimetres, rounded as in the table. Shape (C, D).
    weights
        Share of customers who live in the city. Shape (C,).
    factor
        What the weather of the day does to first orders and guests' orders; 1 on average. Shape (D,).
    """

    temperature: Array
    normal: Array
    rain: Array
    weights: Array
    factor: Array

    @classmethod
    def of(cls, plan: StorePlan, season: Season, streams: Streams) -> Self:
        """Draw days that hang together, and fronts that pass over all cities at once."""
        rng = streams.of("weather")
        weights = np.array([country.share / len(country.cities) for country in plan.countries for _ in country.cities])
        weights /= weights.sum()
        shape = (len(weights), season.count)
        noise = rng.normal(0, 1.5, shape) + rng.normal(0, 1.8, season.count)
        for lag in (1, 2, 3):
            noise[:, lag:] += 0.6 / lag * noise[:, :-lag]
        day_of_year = (season.first_day + np.arange(season.count)) % 365.25
        swing = _HALF_SWING * np.cos(2 * np.pi * (day_of_year - _WARM_DAY) / 365.25)
        normal = rng.normal(11, 3, (len(weights), 1)) + swing
        front = rng.random(season.count) < 0.35
        wet = rng.random(shape) < np.where(front, 0.8, 0.1)
        rain = np.where(wet, rng.gamma(0.8, 5.0, shape), 0.0)
        temperature, rain = np.round(normal + noise, 1), np.round(rain, 1)
        moved = weights @ (plan.weather.per_degree * (temperature - normal) + plan.weather.per_millimetre * rain)
        factor = np.exp(moved)
        return cls(temperature=temperature, normal=normal, rain=rain, weights=weights, factor=factor / factor.mean())

    def truth(self, plan: StorePlan) -> dict[str, Any]:
        """Return the planted effect, and its factor on every day."""
        cities = [city for country in plan.countries for city, _ in country.cities]
        return {
            "applies_to": "expected first orders and guest orders of the day",
            "log_change_per_degree": plan.weather.per_degree,
            "log_change_per_millimetre": plan.weather.per_millimetre,
            "city_weights": {city: round(float(weight), 6) for city, weight in zip(cities, self.weights, strict=True)},
            "factor_by_day": [round(float(value), 6) for value in self.factor],
        }

    def table(self, plan: StorePlan, season: Season, store_id: str) -> pa.Table:
        """Return ``weather``: every city and day."""
        cities = [city for country in plan.countries for city, _ in country.cities]
        return contract_table(
            "weather",
            {
                "city": pa.array(np.repeat(cities, season.count)),
                "date": days(np.tile(season.first_day + np.arange(season.count), len(cities))),
                "temperature_celsius": decimals(np.round(self.temperature * 10).ravel(), 1),
                "precipitation_mm": decimals(np.round(self.rain * 10).ravel(), 1),
            },
            store_id,
        )
