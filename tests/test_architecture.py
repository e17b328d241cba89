"""The arrow of the house: imports never point up, SQL layers read downwards, sizes stay small."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "marginwise"
LAYERS = {
    "errors": 0, "settings": 0, "log": 0,
    "contract": 1, "demo": 1,
    "connectors": 2, "engine": 2,
    "science": 3,
    "decisions": 4,
    "serving": 5,
    "ops": 6,
    "cli": 7, "__main__": 7,
}  # fmt: skip
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "warehouse" not in path.parts)
MODELS = sorted((PACKAGE / "warehouse" / "models").rglob("*.sql"))


def layer_of(module: str) -> int | None:
    parts = module.split(".")
    return LAYERS[parts[1]] if len(parts) > 1 else None


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.split(".")[0] == "marginwise"}


def test_imports_never_point_up() -> None:
    layers = {path: layer_of(module_name(path)) for path in MODULES}
    upward = [
        f"{module_name(path)} (layer {layer}) imports {name}"
        for path, layer in layers.items()
        if layer is not None
        for name in imported(path)
        if (layer_of(name) or 0) > layer
    ]
    assert not upward


def test_the_arrow_is_told_once_and_is_the_one_held_here() -> None:
    pages = {path.name: path.read_text("utf-8") for path in (ROOT / "CONTRIBUTING.md", ROOT / "docs/architecture.md")}
    arrows = [line for text in pages.values() for line in text.splitlines() if re.match(r"\s+cli\b.*\blog$", line)]
    assert len(arrows) == 1, arrows
    told = [re.findall(r"\w+", part) for part in arrows[0].split("→")]
    held: dict[int, list[str]] = {}
    for module, layer in LAYERS.items():
        held.setdefault(layer, []).append(module)
    assert [sorted(part) for part in told] == [
        sorted(name for name in held[layer] if name != "__main__") for layer in sorted(held, reverse=True)
    ]


_STATEMENT = re.compile(
    r"\s*(select|insert into|update|delete from|create (or replace )?(table|schema|view)|drop|describe|attach|from \w+\.\w+)\s+\S"
)


def test_sql_stands_only_where_the_architecture_says() -> None:
    without = [path for path in MODULES if layer_of(module_name(path)) not in (None, 2) and path.stem != "queries"]
    texts = [
        (module_name(path), node.value)
        for path in without
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(texts) > 1000
    assert not [(name, text) for name, text in texts if _STATEMENT.match(text)]


def test_only_the_engine_calls_dbt() -> None:
    callers = [
        module_name(path)
        for path in MODULES
        if re.search(r"^\s*(from|import) dbt\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert all(name.startswith("marginwise.engine.") for name in callers), callers


def test_every_error_names_a_next_step() -> None:
    """An error says what is accepted, what comes nearest or how to fix it, not only what is wrong."""
    from marginwise import errors

    kinds = {name for name in errors.__all__ if name[0].isupper()}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                given = {keyword.arg for keyword in node.keywords}
                assert given & {"accepted", "nearest", "fix"}, f"{module_name(path)}, line {node.lineno}"


def test_transactions_are_begun_in_one_place() -> None:
    beginners = [
        module_name(path) for path in MODULES if re.search(r"\.(begin|rollback)\(\)", path.read_text(encoding="utf-8"))
    ]
    assert beginners == ["marginwise.engine.duckdb"]


@pytest.mark.parametrize("folder", ["science", "decisions"])
def test_statistics_and_verdicts_know_no_engine(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (duckdb|psycopg|adbc|dbt)\b", path.read_text("utf-8"), re.MULTILINE), (
            path
        )


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_modules_are_short_and_named_for_what_they_hold() -> None:
    assert len(MODULES) > 100
    assert not [path for path in MODULES if lines_of(path) > 400 or path.stem in FORBIDDEN_NAMES]


def test_models_are_short_described_and_say_their_grain() -> None:
    assert len(MODELS) > 100
    assert not [path for path in MODELS if lines_of(path) > 100]
    comments = ("--", "{#", "/*")
    assert not [path for path in MODELS if not path.read_text(encoding="utf-8").lstrip().startswith(comments)]
    assert not [path for path in MODELS if not path.with_suffix(".yml").is_file()], "one of its stem stands beside each"


def _reads(text: str) -> set[str]:
    refs = set(re.findall(r"ref\(\s*['\"](\w+)['\"]", text))
    return refs | {f"source:{name}" for name in re.findall(r"source\(\s*['\"](\w+)['\"]", text)}


def test_sql_layers_read_downwards() -> None:
    order = {"checks": 0, "staging": 1, "intermediate": 2, "core": 2, "marts": 3}
    layer_by_model = {path.stem: path.relative_to(PACKAGE / "warehouse" / "models").parts[0] for path in MODELS}
    for path in MODELS:
        own = layer_by_model[path.stem]
        for name in _reads(path.read_text(encoding="utf-8")):
            if name == "source:landed":
                assert own == "checks", f"{path.stem} reads landed rows past the checks"
            elif name in layer_by_model:
                assert order[layer_by_model[name]] <= order[own], f"{path.stem} ({own}) reads {name} above it"


def test_public_names_are_few() -> None:
    import marginwise

    assert len(getattr(marginwise, "__all__", [])) <= 12


def test_no_folder_holds_one_file() -> None:
    for folder in {path.parent for path in MODULES if path.name != "__init__.py"}:
        files = [path for path in folder.iterdir() if path.name not in ("__init__.py", "__pycache__")]
        assert len(files) > 1, folder


@pytest.mark.parametrize("pattern", [r"(^|[^\w.-])/(work|farm)/", r"pypi\.org|pythonhosted\.org"])
def test_no_machine_path_or_registry_host_is_committed(pattern: str) -> None:
    for path in [*ROOT.glob("requirements/*"), *ROOT.glob("*.*"), *PACKAGE.rglob("*.*"), *ROOT.glob("docs/**/*.*")]:
        if (
            path.suffix in {".txt", ".toml", ".py", ".md", ".sql", ".yml", ".yaml", ".csv", ".html", ".j2"}
            and "uv.lock" not in path.name
        ):
            assert not re.search(pattern, path.read_text(encoding="utf-8")), path
