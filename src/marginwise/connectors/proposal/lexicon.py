"""The lexicon: what columns and values are called in seven languages, and the form in which words are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = [
    "Concept",
    "concepts",
    "folded",
    "null_words",
    "value_key",
    "vocabulary",
    "vocabulary_lists",
    "words_of",
]

LANGUAGES = ("en", "de", "fr", "es", "pt", "nl", "it")
_NUMBER = re.compile(r"(nummer|number|numero|nummern|num|nro|nbr|no)$")


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


_SIGNS = {
    "ß": "ss",
    "№": "nr",
    "N°": "nr",
    "n°": "nr",
    "Nº": "nr",
    "#": " nr ",
    "€": " eur ",
    "$": " usd ",
    "£": " gbp ",
    "%": " % ",
}
_HUMPS = re.compile(r"(?<=[a-zäöü0-9])(?=[A-ZÄÖÜ][a-zäöü]?)(?<![A-Z])|(?<=[A-Z])(?=[A-Z][a-zäöü]{2})")


@lru_cache(maxsize=50_000)
def _words(name: str) -> tuple[str, ...]:
    text = name
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    decomposed = unicodedata.normalize("NFKD", _HUMPS.sub(" ", text).casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return tuple(word for word in re.split(r"[^a-z0-9%]+", plain) if word)


def words_of(name: str) -> list[str]:
    """Split a name into lower-case words without accents.

    >>> words_of("BestellNr."), words_of("Größe (cm)"), words_of("customerID")
    (['bestell', 'nr'], ['grosse', 'cm'], ['customer', 'id'])
    """
    return list(_words(name))


@lru_cache(maxsize=50_000)
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
def null_words() -> tuple[str, ...]:
    """Return the texts that may stand for "no value", as they are written."""
    return tuple(_document("vocabulary.yaml")["null_tokens"])


@cache
def vocabulary_lists(name: str) -> dict[str, tuple[str, ...]]:
    """Return one vocabulary of the values as it is written: words by what they mean, in order."""
    return {meaning: tuple(words) for meaning, words in _document("vocabulary.yaml")[name].items()}


@lru_cache(maxsize=100_000)
def value_key(value: str) -> str:
    """Reduce a value to the form in which vocabularies are compared; signs without letters stay as they are."""
    return "".join(words_of(value.replace("€", "eur").replace("£", "gbp"))) or value.strip().casefold()


def _document(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays text: "no" is a word here
    text = (files("marginwise.connectors.proposal") / name).read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=loader))  # noqa: S506 - the base loader builds texts only


def _variants(word: str) -> list[str]:
    umlauts = word.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return [word] if umlauts == word else [word, umlauts]
