"""What is said of a unit in words: clauses, each with its number, and with what it foretells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interp.types import Fingerprinted
from interp.units.truth import Names

ClauseKind = Literal["concept", "label", "group", "hue", "lightness", "stripes", "spacing", "serves"]
"""Where a clause comes from: dissection, labels of top images or their common kind, probes, ablation."""


@dataclass(frozen=True)
class Clause:
    """One thing that was measured of a unit: what is said, and the numbers that it rests on, in words and by name.

    What it foretells is where the unit is strong: in images of these `classes`, with this `concept`, or with much of
    this look (a column of `interp.units.looks`).
    """

    kind: ClauseKind
    said: str
    number: str
    measured: tuple[tuple[str, float | int], ...]
    classes: tuple[int, ...] = ()
    concept: tuple[str, str] | None = None
    look: int | None = None

    @property
    def foretells(self) -> tuple[tuple[int, ...], tuple[str, str] | None, int | None]:
        """What the unit's activation is foretold from: equal for clauses that say the same of an image."""
        return self.classes, self.concept, self.look


@dataclass(frozen=True)
class UnitWords:
    """The description of a unit: its clauses, and how well they foretell where it is strong in images held out.

    `auroc` is the probability that of two held-out images, one among the tenth in which the unit is strongest and one
    not, the first has more of what the clauses name; 0.5 is chance. `percentile` is the share of `rivals`, the
    descriptions of the layer's other units, that foretell it less well (of equal ones half); None where there are too
    few rivals, or images. `reason` says why there is no clause.
    """

    clauses: tuple[Clause, ...]
    auroc: float | None = None
    percentile: float | None = None
    rivals: int = 0
    reason: str = ""
    clip: tuple[str, float] | None = None

    @property
    def sentence(self) -> str:
        """The description without its numbers; where there is none, that, and why."""
        return "; ".join(one.said for one in self.clauses) if self.clauses else f"No description: {self.reason}"


@dataclass(frozen=True, eq=False)
class LayerWords(Fingerprinted):
    """Descriptions of all units of a layer, as far as they are made.

    `parts` names what is in them: labels, concepts, probes, ablation; `missing` says of what cannot be, why. They are
    made on `ranked` images and scored on `read` others; `concepts` are those that could have been named.
    """

    layer: str
    units: tuple[UnitWords, ...]
    ranked: int
    read: int
    parts: tuple[str, ...]
    missing: tuple[str, ...]
    concepts: Names = ()

    @property
    def described(self) -> int:
        """How many units have a description."""
        return sum(bool(one.clauses) for one in self.units)
