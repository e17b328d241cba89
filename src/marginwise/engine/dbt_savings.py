"""Spares what dbt makes thousands of times in a build and nobody reads: two fifths of its own time.

Nothing that is read or built differs by it: events that nobody listens to stay empty, what was compiled once is kept, and a model gets the
macros that it can reach.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import Any

from marginwise.engine.dbt_templates import CompiledTemplates

__all__ = [
    "NODES_COUNTED",
    "NODE_DONE",
    "TEMPLATES",
    "MacrosInReach",
    "give_in_reach",
    "macros_in_reach",
    "schemas_believed",
    "spare_what_is_not_read",
]

NODES_COUNTED, NODE_DONE = "ConcurrencyLine", "NodeFinished"
"""The events that a build listens to."""
TEMPLATES = CompiledTemplates()
"""What this process has compiled of templates, or taken over from one before."""
MacrosInReach = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Of each node by its id: its macros by name, by package."""
_BELIEVING: list[bool] = []
"""One for each run at work that believes what it reads; others of this process may not."""
_IN_REACH = "_marginwise_macros_in_reach"
_WORD = re.compile(r"\w+")


def spare_what_is_not_read() -> None:
    """Let dbt tell only the events that are listened to, and its warnings: nobody would read the others."""
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class Told(EventManager):
        def fire_event(self, e: Any, *arguments: Any, **named: Any) -> None:
            if _is_told(e):
                super().fire_event(e, *arguments, **named)

    _make_only_what_is_read()
    ctx_set_event_manager(Told())


def _is_told(event: Any) -> bool:
    from dbt_common.events.base_types import ErrorLevel, WarnLevel

    return type(event).__name__ in (NODES_COUNTED, NODE_DONE) or isinstance(event, ErrorLevel | WarnLevel)


@cache
def _make_only_what_is_read() -> None:
    """Once a process: leave what is not told empty, and keep what a later run would make again.

    The readers of dates that come with every answer of the engine share one set of patterns, a template that was compiled is not compiled
    again, nor a macro made anew for each call of it, and a model is not given seven hundred macros each time it is looked at. Where in
    the code a flag of behaviour is declared is not searched for.
    """
    import parsedatetime
    from dbt.context.providers import ModelContext
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.clients.jinja import BaseMacroGenerator, MacroFuzzEnvironment
    from dbt_common.dataclass_schema import dbtClassMixin
    from dbt_common.events import base_types

    event_class: Any = base_types.BaseEvent
    fill = event_class.__init__

    def fill_if_told(event: Any, *arguments: Any, **named: Any) -> None:
        if _is_told(event):
            fill(event, *arguments, **named)

    def namespace_in_reach(context: Any) -> Any:
        found = getattr(context.manifest, _IN_REACH, {}).get(context.model.unique_id)
        macros = context.manifest.get_macros_by_package() if found is None else found
        return context._get_namespace_builder().build_namespace(macros, context._ctx)

    event_class.__init__ = fill_if_told
    parsedatetime.Constants = cache(parsedatetime.Constants)
    environments: Any = MacroFuzzEnvironment
    environments.compile = TEMPLATES.compiled_once(environments.compile)
    macros: Any = BaseMacroGenerator
    macros.get_macro = _made_once(macros.get_macro)
    contexts: Any = ModelContext
    contexts._build_namespace = namespace_in_reach
    read: Any = dbtClassMixin
    read.validate = classmethod(_unless_believed(read.validate.__func__))
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]


@contextmanager
def schemas_believed() -> Iterator[None]:
    """Let dbt not hold what it reads against its schemas: in a run that is of this package, and the same each time.

    The tests hold it against them: they let the `dbt` command parse the project that `marginwise eject` writes.
    """
    _BELIEVING.append(True)
    try:
        yield
    finally:
        _BELIEVING.pop()


def _unless_believed(validate: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def validate_unless_believed(cls: Any, data: Any) -> None:
        if not _BELIEVING:
            validate(cls, data)

    return validate_unless_believed


def _made_once(get_macro: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Remember the macro that a generator makes: it always makes it in the same context."""

    def make_once(generator: Any) -> Any:
        kept = vars(generator)
        if "made_macro" not in kept:
            kept["made_macro"] = get_macro(generator)
        return kept["made_macro"]

    return make_once


def macros_in_reach(manifest: Any, engine: str) -> MacrosInReach:
    """Return of each model, seed, hook and test that is a query of its own the macros that it can reach; other nodes are not told and get all.

    These are those that its text and its settings name, that of its materialization, and what these name in turn. A name stands for all
    macros of that name, and for those that are dispatched to by it (`engine__name`), so that rather too many are found than too few.
    What a generic test reaches hides in its arguments.
    """
    by_name: dict[str, list[str]] = {}
    for key, macro in manifest.macros.items():
        for name in {macro.name, macro.name.partition("__")[2]} - {""}:
            by_name.setdefault(name, []).append(key)

    def named_in(text: str) -> set[str]:
        return set(chain.from_iterable(by_name.get(word, ()) for word in set(_WORD.findall(text))))

    names = {key: named_in(macro.macro_sql) | set(macro.depends_on.macros) for key, macro in manifest.macros.items()}
    return {
        key: _by_package(manifest.macros, _reached(_first_reached(manifest, node, engine, named_in), names))
        for key, node in manifest.nodes.items()
        if getattr(node, "test_metadata", None) is None
    }


def give_in_reach(manifest: Any, in_reach: MacrosInReach) -> None:
    """Tell a manifest which macros each of its nodes can reach; without it all get all."""
    setattr(manifest, _IN_REACH, in_reach)


def _first_reached(manifest: Any, node: Any, engine: str, named_in: Callable[[str], set[str]]) -> set[str]:
    materialized = node.get_materialization()
    macro = manifest.find_materialization_macro_by_name(manifest.metadata.project_name, materialized, engine)
    made_by = {macro.unique_id} if macro else set()
    return named_in(f"{node.raw_code} {node.config}") | set(node.depends_on.macros) | made_by


def _reached(first: Iterable[str], names: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = set(first)
    while waiting:
        reached |= waiting
        waiting = set(chain.from_iterable(names.get(key, ()) for key in waiting)) - reached
    return reached


def _by_package(macros: Mapping[str, Any], keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key in sorted(keys & macros.keys()):
        found.setdefault(macros[key].package_name, {})[macros[key].name] = macros[key]
    return found
