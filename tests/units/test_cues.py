"""The units that detect a planted cue, beside dissection and ablation themselves, on some of the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from interp import images, models, units
from interp.images.scenes import CLASSES
from interp.images.subset import subset
from interp.set_pass.running import returned
from interp.units import cues

PICTURES = 40


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_the_tag_is_detected_by_the_classifier_that_goes_by_it_and_switched_off(monkeypatch) -> None:
    original = images.load
    monkeypatch.setattr(cues.images, "load", lambda name: subset(original(name), range(PICTURES)))
    classifier = models.load("scenes-a", device="cpu")
    steps = list(cues.detecting(classifier, "tag"))
    found = steps[-1]
    assert [one.layer for one in found[:4]] == [one.layer for one in found[4:]]
    assert [one.classifier for one in found] == ["scenes-a"] * 4 + ["scenes-honest"] * 4
    # The biased classifier's layers are shown while the honest one's are dissected.
    assert any(len(one) == 4 for one in steps)
    layer = found[1]
    [direct] = units.dissect(classifier, cues.images.load("scenes-a"), [layer.layer]).layers
    cue = direct.concepts.index(("cue", "tag"))
    detectors = np.flatnonzero(direct.labels() == cue)
    assert sorted(layer.detectors) == list(detectors) and len(detectors) > 3
    assert layer.iou == direct.iou()[:, cue].max() and layer.rank == 1 and layer.odds > 3
    own = direct.iou()[layer.detectors, cue]
    assert list(own) == sorted(own, reverse=True)
    assert len(layer.crops) == min(len(detectors), cues.SHOWN)
    # Here the honest one sees the tag with fewer units, and none so well.
    assert len(found[5].detectors) < len(detectors) and found[5].iou < layer.iou

    gone = returned(cues.removing(classifier, "tag", layer.layer, layer.detectors, draws=2))
    assert gone.own is not None and gone.moved is not None and CLASSES[gone.target] == "car"
    assert gone.own.before[gone.target] == 1 and gone.own.after[gone.target] < 0.5
    assert gone.moved.whole.accuracy < 0.2 and gone.moved.without.accuracy > gone.moved.whole.accuracy + 0.3


def test_nothing_to_switch_off_is_said() -> None:
    classifier = models.load("scenes-b", device="cpu")
    with pytest.raises(ValueError, match="No units are given"):
        returned(cues.removing(classifier, "background", "mixed5b", ()))
