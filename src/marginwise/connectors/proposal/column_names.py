"""What a column's name says it means: how close it comes to the names the lexicon knows for a meaning."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from marginwise.connectors.proposal.lexicon import Concept, concepts, folded, words_of

__all__ = ["OWN_WORD", "NameMatch", "is_private_name", "language_of", "match_name"]

PRIVATE_KINDS = frozenset({"email", "person", "phone", "private"})
_DECORATION = frozenset(
    [
        "usd",
        "eur",
        "gbp",
        "chf",
        "euro",
        "euros",
        "amount",
        "betrag",
        "in",
        "der",
        "des",
        "the",
        "of",
        "de",
        "du",
        "da",
        "do",
        "netto",
        "brutto",
        "net",
        "gross",
        "ht",
        "ttc",
        "incl",
        "excl",
        "inkl",
        "exkl",
        "zzgl",
        "mwst",
        "vat",
        "shop",
        "money",
        "set",
        "currency",
        "value",
        "local",
        "tax",
        "pro",
        "je",
        "per",
    ]
)
_FUZZY = 0.86
OWN_WORD = "name in a file of this kind"


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How well a name fits a meaning: score from 0 to 1, the known name it came close to, and how."""

    score: float
    known_as: str
    how: str


RULED_OUT = NameMatch(0.0, "", "ruled out")


def match_name(name: str, concept: Concept, table: str | None) -> NameMatch | None:
    """Hold a column's name against one meaning.

    Parameters
    ----------
    name
        The column's name.
    concept
        The meaning.
    table
        The contract table whose own file the column stands in, where that is known.

    Returns
    -------
    NameMatch or None
        None when the name does not speak for this meaning.

    Examples
    --------
    >>> match_name("Bestellnummer", concepts()["order_id"], None).score
    1.0
    >>> match_name("id", concepts()["order_id"], "orders").score > 0.8
    True
    >>> match_name("id", concepts()["order_id"], None) is None
    True
    """
    key = folded(name)
    if not key or (key.startswith("column") and key[6:].isdigit()):
        return None
    own = concept.own.get(table or "", frozenset())
    if key in own and key not in concept.words:
        return NameMatch(0.95, name, OWN_WORD)
    general = _general(name, concept.name)
    if table is None or (general is not None and general.score >= 0.9) or general is RULED_OUT:
        return general if general is not RULED_OUT else None
    words = words_of(name)
    bare = _bare(words)
    if bare != key and bare in own:
        return NameMatch(0.93, bare, OWN_WORD)
    shorter = folded(" ".join(words[1:])) if len(words) > 1 and words[0] in _prefixes(table) else ""
    if shorter and (shorter in own or shorter in concept.words):
        return NameMatch(0.9, shorter, f"name without {words[0]!r}")
    return general


@lru_cache(maxsize=100_000)
def _general(name: str, meaning: str) -> NameMatch | None:
    """Hold a name against the words of a meaning that hold in any file."""
    concept = concepts()[meaning]
    words, key = words_of(name), folded(name)
    if key in concept.words:
        return NameMatch(1.0, name, "name")
    outside = folded(re.sub(r"\(.*?\)|\[.*?\]", " ", name))
    if outside and outside != key and outside in concept.words:
        return NameMatch(0.96, outside, "name")
    if any(_contains(words, ruled) for ruled in concept.ruled_out):
        return RULED_OUT
    bare = _bare(words)
    if bare and bare != key and bare in concept.words:
        return NameMatch(0.93, bare, "name without its unit")
    best = None
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + 4) + 1):
            part = folded(" ".join(words[start:end]))
            if len(part) >= 3 and end - start < len(words) and part in concept.words:
                score = 0.5 + 0.35 * len(part) / len(key)
                if best is None or score > best.score:
                    best = NameMatch(score, part, "part of the name")
    alike = (
        [word for word in concept.words if word[0] == key[0] and abs(len(word) - len(key)) <= 3]
        if len(key) >= 5
        else []
    )
    close = difflib.get_close_matches(key, alike, n=1, cutoff=_FUZZY)
    if close:
        score = 0.8 * difflib.SequenceMatcher(None, key, close[0]).ratio()
        if best is None or score > best.score:
            best = NameMatch(score, close[0], "similar name")
    return best


@cache
def is_private_name(name: str) -> bool:
    """Tell whether a column's name speaks of personal data.

    >>> is_private_name("E-Mail"), is_private_name("Kundenname"), is_private_name("Menge")
    (True, True, False)
    """
    private = (concept for concept in concepts().values() if concept.kind in PRIVATE_KINDS)
    return any((match := match_name(name, concept, None)) is not None and match.score >= 0.65 for concept in private)


def language_of(names: list[str]) -> str | None:
    """Return the language most of the names are in, None when English or none stands out.

    >>> language_of(["Bestellnummer", "Bestelldatum", "Menge", "Einzelpreis", "E-Mail"])
    'de'
    """
    votes: dict[str, int] = {}
    for name in names:
        key = folded(name)
        spoken = {concept.words[key] for concept in concepts().values() if key in concept.words}
        if len(spoken) == 1:
            language = spoken.pop()
            votes[language] = votes.get(language, 0) + 1
    if not votes:
        return None
    language, count = max(votes.items(), key=lambda vote: vote[1])
    return language if language != "en" and count >= 2 and count > votes.get("en", 0) else None


def _bare(words: list[str]) -> str:
    return folded(" ".join(word for word in words if word not in _DECORATION))


def _contains(words: list[str], wanted: tuple[str, ...]) -> bool:
    return any(tuple(words[i : i + len(wanted)]) == wanted for i in range(len(words) - len(wanted) + 1))


@cache
def _prefixes(table: str) -> frozenset[str]:
    plain = {table, table.removesuffix("s"), *table.split("_"), *(part.removesuffix("s") for part in table.split("_"))}
    return frozenset(
        plain | {"lineitem", "line", "item", "order", "website"}
        if table == "order_items"
        else plain | {"order", "website"}
    )
