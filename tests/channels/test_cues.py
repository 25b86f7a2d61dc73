"""The channels that see a planted cue: what holds of the bundled classifiers, and what a made-up network must give."""

import numpy as np
import pytest
import torch

from interp import models
from interp.channels import cues
from interp.channels.cues import cue_channels
from interp.types import Classifier

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def biased() -> Classifier:
    return models.load("scenes-a", device="cpu")


def test_a_tag_is_seen_by_the_classifier_that_goes_by_it(biased: Classifier, unchecked: None) -> None:
    found = cue_channels(biased, "tag", count=3)
    honest = cue_channels(models.load("scenes-honest", device="cpu"), "tag", count=3)
    assert found.layer.name == "mixed5b" and len(found.seeing) == 3 and found.images == 3
    assert found.rise[list(found.seeing)].min() >= np.delete(found.rise, list(found.seeing)).max()
    assert found.among_top[0] >= 0.8 > 0.2 >= honest.any_among_top
    assert found.top_tells >= 0.8 and honest.top_tells == 0
    assert found.ranks[0] == 1 and found.drop > found.others_drop > 0
    assert abs(honest.drop) < honest.others_drop
    # They fire at the tag: in the lower left quarter of each scene.
    fires = found.fires[:, 0]
    middle = fires.shape[1] // 2
    assert (fires[:, middle:, : middle + 1].sum(axis=(1, 2)) > 0.6 * fires.sum(axis=(1, 2))).all()
    assert found.pixels.shape == (cues.EXAMPLES, 112, 112, 3) and found.pixels.dtype == np.uint8


def test_where_all_behind_is_linear_a_group_loses_the_sum_of_its_channels(biased: Classifier, unchecked: None) -> None:
    found = cue_channels(biased, "tag", count=2, some=5)
    assert found.drop == pytest.approx(float(found.effects[list(found.seeing)].sum()), rel=1e-3)
    rest = np.sort(np.delete(found.effects, list(found.seeing)))[::-1]
    assert found.others_drop == pytest.approx(float(rest[:5].sum()), rel=1e-3)
    np.testing.assert_allclose(found.attribution, found.effects, atol=1e-3)


def test_what_is_drawn_without_the_cue_does_not_tell_it(biased: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cues, "without_cue", lambda reason, scene: scene)
    found = cue_channels(biased, "tag", count=2)
    assert not found.rise.any() and found.top_tells == 0
    np.testing.assert_allclose(found.auc, 0.5, atol=1e-6)


def test_bad_input_says_what_is_wrong(biased: Classifier, tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="tiny-0 does not tell scenes apart"):
        cue_channels(tiny, "tag")
    with pytest.raises(ValueError, match="0 scenes"):
        cue_channels(biased, "tag", count=0)
    with pytest.raises(ValueError, match="no layer 'mixed9'"):
        cue_channels(biased, "tag", layer="mixed9")
    assert torch.is_grad_enabled()
