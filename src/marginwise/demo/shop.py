"""What is drawn once for a store: its days, weather, people's kinds, assortment and demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from marginwise.demo.catalogue import Catalogue
from marginwise.demo.demand import Demand
from marginwise.demo.named_days import NamedDays
from marginwise.demo.pairs import Pairs
from marginwise.demo.personas import Personas
from marginwise.demo.season import Season
from marginwise.demo.weather import Weather

if TYPE_CHECKING:
    from datetime import date

    from marginwise.demo.chance import Streams
    from marginwise.demo.plan import StorePlan

__all__ = ["Shop"]


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """Everything that decides what a day, a visit and an order of this store are like.

    Parameters
    ----------
    plan
        What is planted.
    store_id
        Written to every row.
    season, weather, named_days
        The days.
    personas
        Kinds of customers.
    catalogue, pairs
        What is sold, and what is bought together.
    demand
        Spend, and the customers expected.
    """

    plan: StorePlan
    store_id: str
    season: Season
    weather: Weather
    named_days: NamedDays
    personas: Personas
    catalogue: Catalogue
    pairs: Pairs
    demand: Demand

    @classmethod
    def of(cls, plan: StorePlan, streams: Streams, *, orders: int, days: int, last_day: date, store_id: str) -> Self:
        """Open a store that expects ``orders`` orders in ``days`` days."""
        season = Season.of(plan, streams, last_day, days)
        weather = Weather.of(plan, season, streams)
        named_days = NamedDays.of(plan, season)
        personas = Personas.of(plan)
        catalogue = Catalogue.of(plan, season, streams)
        return cls(
            plan=plan,
            store_id=store_id,
            season=season,
            weather=weather,
            named_days=named_days,
            personas=personas,
            catalogue=catalogue,
            pairs=Pairs.of(plan, catalogue),
            demand=Demand.of(plan, season, weather, named_days, personas, streams, orders),
        )
