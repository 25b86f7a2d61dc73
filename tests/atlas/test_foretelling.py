"""Which cells a patch is read off, by hand, and that what is tried is what was chosen."""

from __future__ import annotations

import numpy as np
import pytest

from interp.atlas import AtlasCells, PatchEffect, PatchTrial, fooling, foretold, tried
from interp.atlas.foretelling import ForetoldPatches
from interp.atlas.pasting import PastedPatch
from interp.set_pass import returned
from interp.types import Classifier
from tests.class_summary.sets import pictures


def cells(attribution: np.ndarray) -> AtlasCells:
    count, numbers = len(attribution), np.arange(len(attribution))
    few = np.zeros((count, 1))
    return AtlasCells(
        count, numbers, numbers, numbers + 1, few, attribution, numbers, numbers * 0.0, few.astype(np.int64), numbers
    )


def test_the_cells_that_argue_most_are_foretold_and_the_others_are_drawn() -> None:
    found = cells(np.array([[0.1, 0], [0.9, 0], [-1, 0], [0.5, 0], [0, 0], [0.2, 0]]))
    chosen, random = foretold(found, 0, 2)
    assert chosen.tolist() == [1, 3] and len(random) == 2 and not set(random) & {1, 3}
    # Only what argues for it: three cells do, and one of the others stands beside each.
    chosen, random = foretold(found, 0, 5)
    assert chosen.tolist() == [1, 3, 5, 0] and sorted(random.tolist()) == [2, 4]
    assert np.array_equal(foretold(found, 0, 2, seed=3)[1], foretold(found, 0, 2, seed=3)[1])


@pytest.mark.parametrize("target, said", [(1, "No cell argues"), (2, "does not exist"), (-1, "does not exist")])
def test_a_class_for_which_nothing_argues_is_refused(target: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        foretold(cells(np.array([[1.0, -1.0], [1.0, 0.0]])), target)


def test_shares_are_the_means_of_both_kinds() -> None:
    effects = tuple(PatchEffect(10, 0.0, 5, share) for share in (0.2, 0.6, 0.1, 0.3))
    trial = PatchTrial(effects, PatchEffect(10, 0.0, 5, 0.05))
    found = ForetoldPatches(0, np.array([4, 2]), np.array([7, 8]), trial)
    assert found.share == pytest.approx(0.4) and found.share_of_random == pytest.approx(0.2)
    assert found.share_of_noise == 0.05
    alone = ForetoldPatches(0, np.arange(4), np.zeros(0, np.int64), trial)
    assert np.isnan(alone.share_of_random)


def test_what_is_tried_are_the_pictures_of_the_chosen_cells(tiny: Classifier) -> None:
    photos = pictures(tiny, ["cat", "dog", "fish"] * 4)
    shown = np.random.default_rng(0).integers(0, 256, (6, 20, 20, 3), np.uint8)
    found = cells(np.random.default_rng(1).normal(size=(6, 3)))
    whole = returned(fooling(tiny, photos, found, shown, 0, count=2, share=0.5, corner="top left"))
    patches = [PastedPatch(shown[one], 0.5, "top left") for one in (*whole.foretold, *whole.random)]
    assert whole.trial.effects == tried(tiny, photos, patches, 0).effects
