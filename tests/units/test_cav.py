"""Concept activation vectors against Captum's scores, and on rows whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from captum.attr import LayerActivation, LayerGradientXActivation
from captum.concept import TCAV, Concept
from captum.concept._utils.classifier import Classifier as CaptumClassifier

from interp import models
from interp.images import ImageSet
from interp.images import load as load_images
from interp.set_pass import once, returned
from interp.types import Classifier
from interp.units.cav import CavPass, CavRows, _welch, holm, tcav
from interp.units.concepts import ConceptSource
from tests.units.conftest import LABELS, NAMES
from tests.units.test_tally import THERE, everything

SOURCE = ConceptSource(complete=True)


def gathered(classifier: Classifier, photos: ImageSet, layer: str, names=NAMES, source=SOURCE) -> CavRows:
    [found] = returned(once(CavPass(concepts=tuple(names), source=source), classifier, photos, [layer]))
    return found


def test_means_and_slopes_are_those_of_finite_differences(tiny: Classifier, known: ImageSet) -> None:
    found = gathered(tiny, known, "conv2")
    assert found.positions.tolist() == THERE and len(found.problems) == 1
    maps = everything(tiny, "conv2")
    np.testing.assert_allclose(found.means, maps.mean(axis=(2, 3)), atol=1e-5)
    labels = [tiny.labels.index(LABELS[one]) if LABELS[one] else -1 for one in THERE]
    assert found.labels.tolist() == labels
    # Behind this layer are a ReLU, a mean and a linear map: the weight counts where the layer is above 0.
    weight = dict(tiny.module.named_modules())["network.linear"].weight.detach().numpy()
    for row, label in enumerate(labels):
        if label >= 0:
            np.testing.assert_allclose(found.slopes[row], weight[label] * (maps[row] > 0).mean(axis=(1, 2)), atol=1e-5)


class Given(CaptumClassifier):
    """A classifier whose weights are given: Captum's own are learned from all positions."""

    vector = torch.zeros(1)

    def __init__(self) -> None:
        pass

    def train_and_eval(self, dataloader, **kwargs):
        return {}

    def weights(self):
        return torch.stack([self.vector, -self.vector])

    def classes(self):
        return [0, 1]


def test_scores_are_captums(tmp_path: Path) -> None:
    classifier, photos = models.load("scenes-honest", device="cpu"), load_images("scenes:24")
    layer = "mixed4c"
    rows = gathered(classifier, photos, layer, (("shape", "car"),))
    size = classifier.layer(layer).height, classifier.layer(layer).width
    vector = torch.from_numpy(np.random.default_rng(0).normal(size=rows.means.shape[1])).float()
    Given.vector = vector[:, None, None].expand(-1, *size).reshape(-1)
    module = classifier.module
    own = int(rows.labels[0])
    batch = classifier.prepare([photos[one].image for one in np.flatnonzero(rows.labels == own)]).pixels
    loader = torch.utils.data.DataLoader(batch, batch_size=4)
    place = dict(module.named_modules())[f"network.{layer}"]
    captums = TCAV(
        module, [f"network.{layer}"], classifier=Given(), save_path=str(tmp_path),
        layer_attr_method=LayerGradientXActivation(module, place, multiply_by_inputs=False),
    )  # fmt: skip
    with torch.enable_grad():
        found = captums.interpret(batch.requires_grad_(True), [[Concept(0, "a", loader), Concept(1, "b", loader)]], own)
    share = found["0-1"][f"network.{layer}"]["sign_count"][0]
    ours = (rows.slopes[rows.labels == own] @ vector.numpy() > 0).mean()
    assert float(share) == pytest.approx(float(ours), abs=1e-6) and LayerActivation


def made(slope: float, count: int = 120) -> CavRows:
    """Channel 0 is the concept; class 0 rises with it by `slope`, class 1 with channel 1 alone, by chance."""
    rng = np.random.default_rng(0)
    present = np.arange(count) % 3 == 0
    means = rng.normal(size=(count, 6)).astype(np.float32)
    means[:, 0] += 3 * present
    slopes = rng.normal(size=(count, 6)).astype(np.float32)
    labels = np.arange(count) % 2
    slopes[labels == 0, 0] += slope
    return CavRows(np.arange(count), labels, present[:, None], np.ones((count, 1), bool), means, slopes)


def test_a_concept_that_a_class_goes_by_is_significant_and_another_is_not() -> None:
    found = tcav(made(30.0), (("a", "b"),), ("a", "b"), splits=16)
    assert found.scores[:, 0].min() == 1 and found.p[0] < 0.05 and found.accuracy > 0.85
    assert found.significant[0] and found.classes == (0, 1) and found.images == (60, 60)
    against = tcav(made(-30.0), (("a", "b"),), ("a", "b"), splits=16)
    assert against.scores[:, 0].max() == 0 and against.significant[0]
    assert found.strangers.shape == (39, 2) and (found.p_strangers >= 1 / 40).all()
    off = np.abs(found.strangers - found.random.mean(axis=0)) >= np.abs(
        found.scores.mean(axis=0) - found.random.mean(axis=0)
    )
    np.testing.assert_allclose(found.p_strangers, (1 + off.sum(axis=0)) / 40)
    assert found.scores.shape == found.random.shape == (16, 2)
    again = tcav(made(30.0), (("a", "b"),), ("a", "b"), splits=16)
    np.testing.assert_array_equal(found.scores, again.scores)


def test_p_is_scipys() -> None:
    from scipy.stats import ttest_ind

    one, other = np.random.default_rng(0).normal(size=(2, 9, 4))
    one[:, 1], one[:, 2], other[:, 2] = 0.5, 1, 1
    expected = ttest_ind(one[:, [0, 3]], other[:, [0, 3]], equal_var=False).pvalue
    found = _welch(one, other)
    np.testing.assert_allclose(found[[0, 3]], expected, rtol=1e-6)
    # Of one that never changes the test stands; of two that are the same nothing differs.
    assert 0 < found[1] < 1 and found[2] == 1


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


def test_too_few_images_are_said(tiny: Classifier, known: ImageSet) -> None:
    rows = made(1.0, 24)
    with pytest.raises(ValueError, match="at least 10 images with .* With 'b': 8; known to be without: 16"):
        tcav(rows, (("a", "b"),), ("a", "b"))
    nobody = CavRows(rows.positions, rows.labels * 0 - 1, ~rows.present, rows.known, rows.means, rows.slopes)
    big = CavRows(*(np.concatenate([one, one]) for one in (
        nobody.positions, nobody.labels, nobody.present, nobody.known, nobody.means, nobody.slopes)))  # fmt: skip
    with pytest.raises(ValueError, match="No image has a label"):
        tcav(big, (("a", "b"),), ("a", "b"))
    with pytest.raises(ValueError, match="no layer"):
        gathered(tiny, known, "conv9")
