"""Every command the documentation shows is run, page by page, and must print what the page says it prints.

The README's are typed in a shell, each a process of its own. So are those of other pages that need a shell; the rest are
called with the same words in the process of the test.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.beginnings import BEGINNINGS, SHARED_DATA, Beginnings, spoken, typed
from tests.shell import Outcome

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLAIN = re.compile(r"""marginwise( [\w./-]+| "(\$DATA/)?[^"$`]*")+""")
UNTESTED = re.compile(r"^```(?:sh|bash|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Split a block into (command, expected lines); `$ ` begins a command, `> ` goes on with it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        elif line.strip() and found:
            found[-1][1].append(line)
    return found


def beginning(shown: list[str]) -> tuple[str, ...]:
    """Return the first commands where they are those of a store that several tests look at."""
    return next((made for made in BEGINNINGS if tuple(shown[: len(made)]) == made), ())


def outcome(command: str, page: Path, folder: Path) -> Outcome:
    before, _, last = command.rpartition(" && ")
    if page.stem == "README" or not PLAIN.fullmatch(last):
        return typed(command, folder)
    if before and (first := typed(before, folder)).code:
        return first
    return spoken(last, folder)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_and_print_what_it_says(page: Path, tmp_path: Path, beginnings: Beginnings) -> None:
    if any("$DATA" in block for block in blocks(page)) and not SHARED_DATA.is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    shown = [pair for block in blocks(page) for pair in commands(block)]
    outcomes: list[Outcome] = []
    for number, (command, expected) in enumerate(shown):
        if number == len(outcomes):
            begun = beginning([told for told, _ in shown[number:]])
            outcomes += beginnings.copied(begun, tmp_path) if begun else [outcome(command, page, tmp_path)]
        done = outcomes[number]
        assert done.code == 0, f"{page.name}: {command}\n{done.out}\n{done.err}"
        for line in expected:
            pattern = r".*".join(re.escape(part.strip()) for part in re.split(r"\.\.\.|…", line.strip()))
            told = re.sub(r"\s+", " ", done.out + done.err)
            assert re.search(re.sub(r"(\\ )+", " ", pattern), told), (
                f"{page.name}: {command}\nexpected: {line}\ngot: {told}"
            )


def test_every_beginning_is_that_of_a_block() -> None:
    shown = [[command for command, _ in commands(block)] for page in PAGES for block in blocks(page)]
    for made in BEGINNINGS:
        assert any(tuple(block[: len(made)]) == made for block in shown), made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_that_are_not_run_only_fetch_and_make(page: Path) -> None:
    for block in UNTESTED.findall(page.read_text(encoding="utf-8")):
        for line in filter(None, map(str.strip, block.splitlines())):
            assert re.match(r"(make|git|cd|pip|#)", line), f"{page.name} shows {line!r} in a block that no test runs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
