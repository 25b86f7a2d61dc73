"""The names of a classifier's classes, once it is known how many it has."""

from __future__ import annotations

from dataclasses import dataclass

from interp.models.outputs import Interpretation
from interp.models.recipe import Recipe
from interp.types import Finding


@dataclass(frozen=True)
class Labelled:
    """A label for each class, their WordNet ids where they have some, and what was guessed."""

    labels: tuple[str, ...]
    wordnet_ids: tuple[str, ...] | None = None
    findings: tuple[Finding, ...] = ()


def of(recipe: Recipe, found: Interpretation) -> Labelled:
    """The labels that were given, with the negation of a single one; those of published weights; or numbers.

    Raises `ValueError` for labels of another number than there are classes.
    """
    if not found.count:
        return Labelled(())
    labels, ids = recipe.labels, recipe.wordnet_ids
    if labels is None and len(recipe.published_labels or ()) == found.count:
        labels = recipe.published_labels
    if labels is None:
        plain = ("negative", "positive") if found.single else tuple(f"class {i}" for i in range(found.count))
        said = f"No labels were given: its {found.count} classes are called {plain[0]!r} to {plain[-1]!r}."
        return Labelled(plain, None, (Finding("guessed", said, 'labels = ["...", "..."]'),))
    if found.single and len(labels) == 1:
        said = f"One label for one output: the other class is called 'not {labels[0]}'."
        setting = f'labels = ["...", "{labels[0]}"]'
        return Labelled((f"not {labels[0]}", labels[0]), None, (Finding("guessed", said, setting),))
    if len(labels) != found.count:
        outputs = "1 output, a binary classifier," if found.single else f"{found.count} outputs"
        wanted = "two labels, the second for a high output" if found.single else "one for each"
        raise ValueError(f"{recipe.name} has {outputs}, and {len(labels)} labels were given: give {wanted}.")
    return Labelled(labels, ids if ids is not None and len(ids) == found.count else None)
