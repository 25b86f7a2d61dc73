"""Which kinds things are of, by WordNet's hypernyms: from a file that whoever runs Loupe supplies, or from NLTK.

WordNet itself is not in the repository. The file is JSON: {"synsets": {"n02084071": {"names": ["dog", ...],
"hypernyms": ["n02083346", ...]}, ...}}, with every hypernym up to the root.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from interp.text_files import read_text

LARGEST = 64 << 20
VARIABLE = "LOUPE_WORDNET"


@dataclass(frozen=True)
class WordNet:
    """Synsets by their ids ('n' and eight digits): the first name of each, and the ids of its hypernyms."""

    names: Mapping[str, str]
    hypernyms: Mapping[str, tuple[str, ...]]

    def ancestors(self, synset: str) -> frozenset[str]:
        """All kinds that a synset is of, itself among them; none for one that is not known."""
        if synset not in self.names:
            return frozenset()
        if synset not in self._ancestors:
            found, waiting = {synset}, [synset]
            while waiting:
                for above in self.hypernyms.get(waiting.pop(), ()):
                    if above not in found and above in self.names:
                        found.add(above)
                        waiting.append(above)
            self._ancestors[synset] = frozenset(found)
        return self._ancestors[synset]

    def depth(self, synset: str) -> int:
        """How many steps there are to a root, on the longest way."""
        if synset not in self._depths:
            # A file might have a circle; this ends it.
            self._depths[synset] = 0
            above = [one for one in self.hypernyms.get(synset, ()) if one in self.names]
            self._depths[synset] = 1 + max(map(self.depth, above)) if above else 0
        return self._depths[synset]

    def deepest_common(self, synsets: Iterable[str]) -> str | None:
        """The deepest kind that all of them are of, of equally deep ones the first by id; None where there is none."""
        sets = [self.ancestors(one) for one in synsets]
        common = frozenset.intersection(*sets) if sets else frozenset()
        return min(common, key=lambda one: (-self.depth(one), one), default=None)

    @cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _depths(self) -> dict[str, int]:
        return {}


def read_wordnet(path: str | Path) -> WordNet:
    """The synsets of a file. Raises `ValueError`, or `FileNotFoundError`, that says what the file should hold."""
    wanted = 'it must be JSON such as {"synsets": {"n02084071": {"names": ["dog"], "hypernyms": ["n02083346"]}}}'
    if not Path(path).is_file():
        raise FileNotFoundError(f"{VARIABLE} names {path}, and there is no such file: {wanted}.")
    try:
        text, _ = read_text(Path(path), LARGEST, "WordNet's synsets")
        synsets = json.loads(text)["synsets"]
        names = {one: str(entry["names"][0]) for one, entry in synsets.items()}
        above = {one: tuple(map(str, entry.get("hypernyms", ()))) for one, entry in synsets.items()}
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError, ValueError) as error:
        raise ValueError(f"{VARIABLE} names {path}, which cannot be read as WordNet ({error}): {wanted}.") from None
    return WordNet(names, above)


@lru_cache(maxsize=2)
def from_nltk(ids: tuple[str, ...]) -> WordNet | None:
    """The synsets of these ids, with all above them, from NLTK; None where it, or its corpus, is not installed."""
    try:
        from nltk.corpus import wordnet  # pyright: ignore[reportMissingImports]

        waiting: list[Any] = [wordnet.synset_from_pos_and_offset(one[0], int(one[1:])) for one in ids]
    except (ImportError, LookupError, ValueError):
        return None
    names, above = {}, {}
    while waiting:
        one = waiting.pop()
        own = f"{one.pos()}{one.offset():08d}"
        if own not in names:
            names[own] = one.lemma_names()[0].replace("_", " ")
            upper = [*one.hypernyms(), *one.instance_hypernyms()]
            above[own] = tuple(f"{each.pos()}{each.offset():08d}" for each in upper)
            waiting += upper
    return WordNet(names, above)


def wordnet_of(ids: tuple[str, ...], path: str | None) -> WordNet | None:
    """What is known of the classes' kinds: of the file, else of NLTK; None where neither is there.

    Raises as `read_wordnet` does for a file that is not right.
    """
    return read_wordnet(path) if path else from_nltk(ids)
