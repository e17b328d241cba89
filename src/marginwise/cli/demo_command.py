"""`marginwise demo`: one option for every knob of the demo store."""

from __future__ import annotations

import datetime as dt
import inspect
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from marginwise.demo.knobs import Knobs

__all__ = ["demo"]


def demo(directory: Path, as_json: bool = False, **options: Any) -> None:
    """Generate a demo store whose true margins are known, ready to run.

    What is planted is written to truth.json: margins, repeat rates and verdicts, response to spend, personas, dropout,
    pairs, weather, anomalies, partners, dirt. Equal knobs give equal stores.
    """
    from marginwise.cli.console import print_json, stage_progress, terminal
    from marginwise.ops.projects import create_demo

    options["last_day"] = options["last_day"].date()
    with stage_progress(quiet=as_json) as progress:
        created = create_demo(
            directory, Knobs(**options), progress=lambda what, done, total: progress("demo", what, done, total)
        )
    if as_json:
        print_json(created)
        return
    terminal().print(
        f"Demo store in {directory}: {created['rows']:,} rows in {created['files']} files, truth in {created['truth']}."
    )
    for folder in created["drops"]:
        terminal().print(f"A later day: copy the files of {folder} into {directory / 'data'}, then run again.")


def _option(knob: Field[Any], kind: Any) -> inspect.Parameter:
    """Return the command-line option of one knob."""
    name, given = f"--{knob.name.replace('_', '-')}", knob.metadata
    default: Any = knob.default
    more: dict[str, Any] = {"min": given["low"], "max": given["high"]}
    if kind is dt.date:
        kind, default = dt.datetime, dt.datetime.combine(default, dt.time())
        more = {"formats": ["%Y-%m-%d"], "show_default": default.date().isoformat()}
    if kind is bool:
        name, more = f"{name}/--no-{name[2:]}", {}
    option = typer.Option(name, help=given["text"], rich_help_panel=given["panel"], **more)
    return inspect.Parameter(
        knob.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _signature() -> inspect.Signature:
    where = Annotated[Path, typer.Argument(help="Where the demo store goes.")]
    as_json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]
    kinds = get_type_hints(Knobs)
    return inspect.Signature(
        [
            inspect.Parameter("directory", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=where),
            *(_option(knob, kinds[knob.name]) for knob in fields(Knobs)),
            inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=as_json),
        ]
    )


demo.__signature__ = _signature()  # type: ignore[attr-defined]
demo.__annotations__ = {name: parameter.annotation for name, parameter in _signature().parameters.items()}
