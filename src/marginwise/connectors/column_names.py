"""What a column's name says it means: a lexicon of names in seven languages, and how close a name comes to it."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = [
    "Concept",
    "NameMatch",
    "concepts",
    "folded",
    "is_private_name",
    "language_of",
    "match_name",
    "value_key",
    "vocabulary",
    "vocabulary_lists",
    "words_of",
]

PRIVATE_KINDS = frozenset({"email", "person", "phone", "private"})
LANGUAGES = ("en", "de", "fr", "es", "pt", "nl", "it")
_NUMBER = re.compile(r"(nummer|number|numero|nummern|num|nro|nbr|no)$")
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


@dataclass(frozen=True, slots=True)
class Concept:
    """One meaning a column can have.

    Parameters
    ----------
    name
        Name of the meaning.
    kind
        What its values look like.
    fills
        Contract columns it can stand in, as ``table.column``.
    words
        Folded names by which it is known, each with its language; the surest come first.
    helps
        Contract tables it helps to compute columns of.
    own
        Per contract table, folded plain words that mean it only in that table's own file.
    ruled_out
        Words that rule it out.
    """

    name: str
    kind: str
    fills: tuple[str, ...]
    words: dict[str, str]
    helps: tuple[str, ...]
    own: dict[str, frozenset[str]]
    ruled_out: tuple[tuple[str, ...], ...]

    def rank(self, name: str) -> int:
        """Return how far down the list of its language a name stands, 0 for the surest and for unknown ones."""
        key = folded(name)
        if key not in self.words:
            return 0
        return [word for word, language in self.words.items() if language == self.words[key]].index(key)


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How well a name fits a meaning: score from 0 to 1, the known name it came close to, and how."""

    score: float
    known_as: str
    how: str


def words_of(name: str) -> list[str]:
    """Split a name into lower-case words without accents.

    >>> words_of("BestellNr."), words_of("Größe (cm)"), words_of("customerID")
    (['bestell', 'nr'], ['grosse', 'cm'], ['customer', 'id'])
    """
    text = (
        name.replace("ß", "ss")
        .replace("№", "nr")
        .replace("N°", "nr")
        .replace("n°", "nr")
        .replace("Nº", "nr")
        .replace("#", " nr ")
    )
    text = text.replace("€", " eur ").replace("$", " usd ").replace("£", " gbp ").replace("%", " % ")
    text = re.sub(r"(?<=[a-zäöü0-9])(?=[A-ZÄÖÜ][a-zäöü]?)(?<![A-Z])|(?<=[A-Z])(?=[A-Z][a-zäöü]{2})", " ", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return [word for word in re.split(r"[^a-z0-9%]+", plain) if word]


def folded(name: str) -> str:
    """Reduce a name to the form in which names are compared: one word, "number" and its kin as "nr".

    >>> folded("Bestell-Nummer") == folded("bestell nr") == folded("BestellNr")
    True
    """
    words = words_of(name)
    if not words:
        return ""
    words = [_NUMBER.sub("nr", word) if len(word) > 2 or word == "no" else word for word in words]
    return "".join(words)


@cache
def concepts() -> dict[str, Concept]:
    """Return every meaning a column can have, by name."""
    found = {}
    for name, entry in _document("synonyms.yaml").items():
        words: dict[str, str] = {}
        for language, listed in zip(LANGUAGES, entry["words"], strict=False):
            for word in listed:
                for variant in _variants(word):
                    words.setdefault(folded(variant), language)
        own = {
            table: frozenset(folded(variant) for word in listed for variant in _variants(word))
            for table, listed in entry.get("own", {}).items()
        }
        ruled_out = tuple(tuple(words_of(word)) for word in entry.get("not", ()))
        found[name] = Concept(
            name, entry["kind"], tuple(entry.get("fills", ())), words, tuple(entry.get("helps", ())), own, ruled_out
        )
    return found


@cache
def vocabulary(name: str) -> dict[str, str]:
    """Return the words of one list of the values' vocabulary, folded, each with what it means.

    >>> vocabulary("status")[folded("Versendet")]
    'shipped'
    """
    listed = _document("vocabulary.yaml")[name]
    if isinstance(listed, list):
        return {value_key(variant): word for word in listed for variant in _variants(word)}
    found: dict[str, str] = {}
    for meaning, words in listed.items():
        for word in words:
            for variant in _variants(word):
                found.setdefault(value_key(variant), meaning)
    return found


@cache
def vocabulary_lists(name: str) -> dict[str, tuple[str, ...]]:
    """Return one vocabulary of the values as it is written: words by what they mean, in order."""
    return {meaning: tuple(words) for meaning, words in _document("vocabulary.yaml")[name].items()}


def value_key(value: str) -> str:
    """Reduce a value to the form in which vocabularies are compared; signs without letters stay as they are."""
    return "".join(words_of(value.replace("€", "eur").replace("£", "gbp"))) or value.strip().casefold()


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
    words = words_of(name)
    key = folded(name)
    if not key or (key.startswith("column") and key[6:].isdigit()):
        return None
    if key in concept.words:
        return NameMatch(1.0, name, "name")
    own = concept.own.get(table or "", frozenset())
    if key in own:
        return NameMatch(0.95, name, f"name in a file of {table}")
    outside = folded(re.sub(r"\(.*?\)|\[.*?\]", " ", name))
    if outside and outside != key and outside in concept.words:
        return NameMatch(0.96, outside, "name")
    if any(_contains(words, ruled) for ruled in concept.ruled_out):
        return None
    bare = folded(" ".join(word for word in words if word not in _DECORATION))
    if bare and bare != key and (bare in concept.words or bare in own):
        return NameMatch(0.93, bare, "name without its unit")
    shorter = folded(" ".join(words[1:])) if len(words) > 1 and table else ""
    if shorter and words[0] in _prefixes(table or "") and shorter in own | concept.words.keys():
        return NameMatch(0.9, shorter, f"name without {words[0]!r}")
    best = NameMatch(0.0, "", "")
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            part = folded(" ".join(words[start:end]))
            if len(part) >= 3 and end - start < len(words) and part in concept.words:
                share = len(part) / len(key)
                score = 0.5 + 0.35 * share
                if score > best.score:
                    best = NameMatch(score, part, "part of the name")
    close = difflib.get_close_matches(key, concept.words, n=1, cutoff=_FUZZY) if len(key) >= 5 else []
    if close:
        ratio = difflib.SequenceMatcher(None, key, close[0]).ratio()
        if 0.8 * ratio > best.score:
            best = NameMatch(0.8 * ratio, close[0], "similar name")
    return best if best.score else None


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


def _document(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays text: "no" is a word here
    text = (files("marginwise.connectors") / name).read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=loader))  # noqa: S506 - the base loader builds texts only


def _variants(word: str) -> list[str]:
    umlauts = word.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return [word] if umlauts == word else [word, umlauts]


def _contains(words: list[str], wanted: tuple[str, ...]) -> bool:
    return any(tuple(words[i : i + len(wanted)]) == wanted for i in range(len(words) - len(wanted) + 1))


def _prefixes(table: str) -> frozenset[str]:
    plain = {table, table.removesuffix("s"), *table.split("_"), *(part.removesuffix("s") for part in table.split("_"))}
    return frozenset(
        plain | {"lineitem", "line", "item", "order", "website"}
        if table == "order_items"
        else plain | {"order", "website"}
    )
