"""The mappings that a project's settings name: a pack of this package, or a file beside the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginwise.connectors.mapping import Mapping, load_mapping
from marginwise.engine.source_files import missing_data_folder
from marginwise.errors import MarginwiseError

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

    from marginwise.settings import Settings, SourceSettings

__all__ = ["is_own_mapping", "source_mapping", "source_mappings", "source_problems", "sources_with_tax"]


def is_own_mapping(source: SourceSettings) -> bool:
    """Tell whether a source is read by a mapping file of the user's own, rather than by a pack.

    >>> from marginwise.settings import SourceSettings
    >>> is_own_mapping(SourceSettings(mapping="olist", data="data"))
    False
    """
    return source.mapping.endswith(".toml")


def source_mapping(settings: Settings, source: SourceSettings) -> Mapping:
    """Return the mapping of one source.

    Raises
    ------
    BadMapping
        When there is no such pack or file, or it does not load.
    """
    return load_mapping(settings.directory / source.mapping if is_own_mapping(source) else source.mapping)


def source_mappings(settings: Settings) -> dict[str, Mapping]:
    """Return the mapping of every source, by the source's name."""
    return {name: source_mapping(settings, source) for name, source in settings.sources.items()}


def source_problems(settings: Settings) -> list[MarginwiseError]:
    """Return what keeps a source from being read: a mapping that does not load, a data folder that is not there."""
    problems: list[MarginwiseError] = []
    for name, source in settings.sources.items():
        try:
            source_mapping(settings, source)
        except MarginwiseError as error:
            problems.append(error)
        if not (settings.directory / source.data).is_dir():
            problems.append(missing_data_folder(name, settings.directory / source.data))
    return problems


def sources_with_tax(mappings: Dictionary[str, Mapping]) -> list[str]:
    """Return the names of the sources whose prices include tax."""
    return [name for name, mapping in mappings.items() if mapping.source.prices_include_tax]
