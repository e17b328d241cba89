"""The command line: parse, call one function, print."""

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from marginwise.cli.demo_command import demo
from marginwise.errors import MarginwiseError

app = typer.Typer(
    name="marginwise",
    help="From a store's raw files to a decision: which channels, partners, products and customers deserve capital, "
    "and which silently destroy margin.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
warehouse_app = typer.Typer(no_args_is_help=True, help="The dbt project and the DuckDB file behind the numbers.")
app.add_typer(warehouse_app, name="warehouse")

app.command(epilog="Example: `marginwise demo my-store --orders 20000 && marginwise run -p my-store`")(demo)

Project = Annotated[Path, typer.Option("--project", "-p", help="Folder that holds marginwise.toml.", show_default=True)]
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]
HERE = Path()
_INTERRUPTED = 130


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        print(f"marginwise {version('marginwise')}")
        raise typer.Exit


@app.callback()
def logging_options(
    log_format: Annotated[Literal["text", "json"], typer.Option(help="Form of the log on standard error.")] = "text",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log the course of every stage.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Set up the log before any command."""
    from marginwise.log import configure_logging

    configure_logging(log_format, verbose=verbose)


@app.command(epilog="Examples: `marginwise init olist data/olist` · `marginwise init exports/`")
def init(
    first: Annotated[str, typer.Argument(metavar="[PACK] DATA_DIR", help="A known source's pack, then the folder of its files; "
                                         "or the folder alone for your own files.")],
    second: Annotated[Path | None, typer.Argument(hidden=True)] = None,
    project: Project = HERE,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing marginwise.toml.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write a commented marginwise.toml for a known source or for your own files."""
    from marginwise.cli.console import print_json, terminal
    from marginwise.ops.projects import create_project

    pack, data = (first, second) if second is not None else (None, Path(first))
    created = create_project(project, data, pack=pack, force=force)
    if as_json:
        print_json(created)
    else:
        for line in created["told"]:
            terminal().print(line)


@app.command(name="map", epilog="Example: `marginwise map exports/sales.csv --out sales.map.toml`")
def map_file(
    file: Annotated[Path, typer.Argument(help="A CSV (any delimiter, encoding; .gz too) or Parquet file.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the mapping here instead of printing it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at an unknown file and propose a mapping to the contract, with reasons and confidence."""
    from marginwise.cli.console import print_json, terminal
    from marginwise.connectors.proposal.propose import propose_mapping

    proposal = propose_mapping([file])
    if out is not None:
        out.write_text(proposal.text, encoding="utf-8")
    if as_json:
        print_json(proposal.as_dict())
    elif out is not None:
        terminal().print(
            "\n".join(
                [
                    proposal.summary,
                    *proposal.unused,
                    f"Mapping written to {out}. Edit it, then run `marginwise init {file if file.is_dir() else file.parent}`.",
                ]
            )
        )
    else:
        print(proposal.text)


@app.command(
    epilog="Examples: `marginwise run` · `marginwise run decide publish` · `marginwise run --from build --json`"
)
def run(
    stages: Annotated[
        list[str] | None, typer.Argument(help="Stages to run alone: land check build learn decide publish.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="Run from this stage on.")] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Check and build everything anew, not only what is new.")
    ] = False,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Run the stages (default all) and end with the decision table and the memo."""
    from marginwise.cli.reports import print_run

    print_run(project, stages or [], start=start, anew=anew, as_json=as_json)


@app.command(epilog="Example: `marginwise check --json`")
def check(project: Project = HERE, as_json: Json = False) -> None:
    """Land the files, hold every row against the contract, and print a grade per table."""
    from marginwise.cli.reports import print_check

    print_check(project, as_json=as_json)


@app.command(epilog="Example: `marginwise forget 'drops/2024-*.csv'`")
def forget(
    files: Annotated[list[str], typer.Argument(help="Files that landed and are gone from their folder, as `check` names them, "
                                               "or patterns.")],
    project: Project = HERE,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Leave out files that landed earlier and are no longer there."""
    from marginwise.cli.console import print_json, terminal
    from marginwise.ops import forgetting
    from marginwise.settings import load_settings

    names = forgetting.forget(load_settings(project), files)
    if as_json:
        print_json({"forgotten": names})
    else:
        terminal().print(f"Forgotten: {', '.join(names)}. `marginwise run` publishes without them.")


@app.command(epilog="Example: `marginwise decide -p my-store`")
def decide(project: Project = HERE, as_json: Json = False) -> None:
    """Judge every unit again on the warehouse as built, publish, and print the decision table."""
    from marginwise.cli.reports import print_run

    print_run(project, [], start="learn", as_json=as_json)


@app.command(epilog="Example: `marginwise memo --open`")
def memo(
    project: Project = HERE,
    open_: Annotated[bool, typer.Option("--open", help="Open the HTML memo in the browser.")] = False,
    as_json: Json = False,
) -> None:
    """Write the memo (HTML and Markdown) from the published store and say where."""
    from marginwise.cli.console import print_json, terminal
    from marginwise.ops.stages import write_memo
    from marginwise.settings import load_settings

    files = write_memo(load_settings(project))
    if as_json:
        print_json({"memo": files})
    else:
        terminal().print(f"Memo: {files[0]} and {files[1].name}")
    if open_:
        typer.launch(str(files[0]))


@app.command(epilog="Example: `marginwise status`")
def status(project: Project = HERE, as_json: Json = False) -> None:
    """Show the last run's stages, the sources, and what is published; no exit code 0 when a source cannot be read."""
    from marginwise.cli.reports import print_status

    problems = print_status(project, as_json=as_json)
    if problems:
        raise SystemExit(problems[0].exit_code)


@app.command(epilog="""Example: `marginwise query "select * from marts.mart_daily_revenue limit 5"`""")
def query(
    sql: Annotated[str, typer.Argument(help="One select statement on the published store.")],
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Ask the published store in SQL; read-only."""
    from marginwise.cli.console import print_arrow
    from marginwise.cli.reports import published_store

    print_arrow(published_store(project).query(sql), as_json=as_json)


@app.command(epilog="Example: `marginwise doctor`")
def doctor(project: Project = HERE, as_json: Json = False) -> None:
    """Check that this installation and project can run; exit code 1 when something is broken."""
    from marginwise.cli.console import print_json, print_rows
    from marginwise.ops.doctor import examine

    findings = examine(project)
    if as_json:
        print_json([finding.as_dict() for finding in findings])
    else:
        print_rows("", ("check", "state", "detail"), [(f.check, f.state, f.detail) for f in findings])
    if any(finding.state == "broken" for finding in findings):
        raise SystemExit(1)


@app.command(epilog="Example: `marginwise validate --stores 5 --orders 3000`")
def validate(
    stores: Annotated[int, typer.Option(min=1, max=1000, help="How many stores to generate and run.")] = 3,
    orders: Annotated[int, typer.Option(min=500, max=1_000_000, help="Orders of each store.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first store; each further one takes the next.")] = 1,
    keep: Annotated[Path | None, typer.Option(help="Keep the stores in this new folder.")] = None,
    as_json: Json = False,
) -> None:
    """Validate this installation: run stores of known truth and compare every number; exit code 1 when one is off."""
    from marginwise.cli.reports import print_validation

    if not print_validation(stores, orders, seed, keep=keep, as_json=as_json):
        raise SystemExit(1)


@warehouse_app.command(name="path", epilog="Example: `duckdb $(marginwise warehouse path)`")
def warehouse_path(project: Project = HERE, as_json: Json = False) -> None:
    """Print where the published store, the build file and the dbt project are."""
    from marginwise.cli.console import print_json
    from marginwise.ops.projects import warehouse_paths

    paths = warehouse_paths(project)
    if as_json:
        print_json(paths)
    else:
        print(paths["published_store"])


@warehouse_app.command(epilog="Example: `marginwise warehouse eject dbt/ && cd dbt && dbt build`")
def eject(
    directory: Annotated[Path, typer.Argument(help="A new folder for the dbt project.")],
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Copy the dbt project, bound to this project's warehouse and settings, for use with dbt itself."""
    from marginwise.cli.console import print_json, terminal
    from marginwise.ops.projects import eject_warehouse

    told = eject_warehouse(project, directory)
    if as_json:
        print_json(told)
    else:
        terminal().print(f"dbt project in {directory}. Run it with `cd {directory} && dbt build --profiles-dir .`")


def main() -> None:
    """Run the command line; known errors become one line and an exit code."""
    # each stage makes many small things: looking through them for garbage as often as usual takes longer than what is found is worth,
    # and so does a last look when all is over
    gc.set_threshold(1_000_000, 50, 100)
    atexit.register(gc.freeze)
    try:
        app()
    except BaseException as error:
        _end(error)


def _end(error: BaseException) -> NoReturn:
    """Tell what ended the command and exit with its code."""
    if _is_interrupt(error):
        typer.echo("Interrupted. What was published before stays; run again to go on.", err=True)
        raise SystemExit(_INTERRUPTED) from None
    if isinstance(error, SystemExit):
        raise error
    from marginwise.cli.console import fail

    if isinstance(error, MarginwiseError):
        fail(error, as_json="--json" in sys.argv)
    # else the machine's doing, or a defect of ours: in one line, with the traceback on request
    if {"--verbose", "-v"} & set(sys.argv):
        raise error
    from marginwise.engine.hindrances import hindrance, without_values

    unexpected = hindrance(error) or MarginwiseError(
        f"Unexpected {type(error).__name__}: {without_values(str(error))}",
        fix="This is a defect of Marginwise. `marginwise --verbose …` shows where; the published store is unchanged.",
    )
    fail(unexpected, as_json="--json" in sys.argv)


def _is_interrupt(error: BaseException) -> bool:
    """Tell the user's Ctrl-C, which Typer turns into an exit code and DuckDB, where it is at work, into its own error."""
    if isinstance(error, SystemExit):
        return error.code == _INTERRUPTED
    return isinstance(error, KeyboardInterrupt) or (
        isinstance(error, RuntimeError) and str(error) == "Query interrupted"
    )


if __name__ == "__main__":
    main()
