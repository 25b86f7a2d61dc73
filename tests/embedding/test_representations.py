from dataclasses import replace

import numpy as np
import pytest

from interp.embedding import FeaturePass, representations
from interp.embedding.representations import Features, Representation, refuse_large
from interp.images import Problem
from interp.types import Classifier, Layer


@pytest.mark.parametrize(("wrong", "near"), [("conv3", "conv2, conv1"), ("logit", "logits"), ("?", "pixels, or")])
def test_a_layer_that_there_is_not_names_near_ones(tiny: Classifier, wrong: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"tiny-0 has no layer '{wrong if wrong != '?' else '.'}'.*{near}"):
        Representation(wrong).resolved(tiny)


def test_a_pooling_that_does_not_fit(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="'conv1' has no class token"):
        Representation("conv1", "class_token").resolved(tiny)
    with pytest.raises(ValueError, match="'pixels' has one vector for each image and no positions"):
        Representation("pixels", "positions").resolved(tiny)


def test_all_that_mean_the_same_are_resolved_alike(tiny: Classifier) -> None:
    one = replace(tiny, layers=(*tiny.layers, Layer("linear", 3, "flat")))
    assert Representation().resolved(one) == Representation("conv2").resolved(one) == Representation("conv2", "mean")
    for layer in ("logits", "pixels", "linear"):
        assert Representation(layer, "max").resolved(one) == Representation(layer, "mean").resolved(one)
    assert Representation("conv2", "max").resolved(one) != Representation("conv2", "mean").resolved(one)


def test_the_size_is_told_before(tiny: Classifier) -> None:
    expected = {"mean": 6, "max": 6, "flat": 6 * 64, "positions": 6 * 64}
    assert {pooling: Representation("conv2", pooling).size(tiny, 10) // 40 for pooling in expected} == expected
    assert Representation("pixels").shape(tiny) == (1, 3 * 16 * 16)
    assert Representation("logits").shape(tiny) == (1, 3)


def test_what_is_too_large_is_refused_with_what_would_fit(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    # One image at conv1 takes 4 × 16 × 16 × 4 = 4,096 bytes flat, and 16 pooled.
    monkeypatch.setattr(representations, "LARGEST", 1_000_000)
    refuse_large(tiny, [Representation("conv1", "flat")], 244)
    with pytest.raises(ValueError, match="of 245 images.*pooling mean or max, or at most 244 images"):
        FeaturePass().collecting(tiny, [Representation("conv1", "flat")], 245)
    with pytest.raises(ValueError, match="Choose at most 62,500 images"):
        FeaturePass().collecting(tiny, [Representation("conv1")], 70_000)


def test_rows_are_kept_once_and_what_was_handed_out_stays(tiny: Classifier) -> None:
    one = Representation("logits", "flat")
    rows = FeaturePass().collecting(tiny, [one], 3)
    rows.add([Features(one, np.ones((1, 3), np.float32), np.array([4]), (Problem("a.png", "damaged"),))])
    (before,) = rows.so_far
    rows.add([Features(one, np.full((1, 3), 2, np.float32), np.array([6]))])
    (after,) = rows.so_far
    assert before.values.tolist() == [[1, 1, 1]] and after.values.tolist() == [[1, 1, 1], [2, 2, 2]]
    assert after.indices.tolist() == [4, 6] and len(after) == 2
    assert before.problems == after.problems == (Problem("a.png", "damaged"),)
    assert np.shares_memory(before.values, after.values)
    assert before.fingerprint != after.fingerprint
