"""What is shown as a probability is the network's own, whatever it ends in; what is explained is the score before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from interp import attribution, evaluation, images, models, set_pass, shared_interest
from interp.channels.over_set import AttributionPass, SetTarget
from interp.images import ImageSet
from interp.models.predictions import predict
from interp.types import Classifier, Target
from tests import colours
from tests.steps import finished

pytestmark = pytest.mark.usefixtures("tried_before")

ENDS = {
    "sigmoid for each": (3, "torch.sigmoid(scores)"),
    "one score [n, 1]": (1, "scores"),
    "one score [n]": (1, "scores.squeeze(1)"),
    "one probability [n, 1]": (1, "scores.sigmoid()"),
    "functional softmax": (3, "functional.softmax(scores, dim=1)"),
    "log-softmax": (3, "torch.log_softmax(scores, dim=1)"),
    "scores": (3, "scores"),
}


@dataclass(frozen=True)
class Case:
    """A network as loaded, and what it says of eight pictures as its owner runs it: probabilities, and logits."""

    classifier: Classifier
    photos: ImageSet
    own: np.ndarray
    logits: torch.Tensor


@pytest.fixture(params=ENDS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    outputs, end = ENDS[request.param]
    labels = ["not red", "red"] if outputs == 1 else list(colours.COLOURS)
    colours.save_network(tmp_path / "models", outputs, end, labels)
    listed = "file,label\n" + "".join(f"{i}.png,{labels[i % len(labels)]}\n" for i in range(8))
    colours.save_pictures(tmp_path / "pictures", listed, masks=True)
    given = colours.network(outputs, end)(colours.pixels()).detach()
    scores = colours.scores(outputs, colours.pixels()).detach()
    if outputs == 1:
        share = given.reshape(-1, 1) if end == "scores.sigmoid()" else given.reshape(-1, 1).sigmoid()
        own, logits = torch.cat([1 - share, share], dim=1), torch.cat([-scores, scores], dim=1)
    elif end == "scores":
        own, logits = given.softmax(dim=1), scores
    else:
        own, logits = (given.exp() if "log" in end else given), scores
    classifier = models.load("mine", folder=tmp_path / "models", device="cpu")
    photos = images.load(tmp_path / "pictures", annotations=tmp_path / "masks")
    return Case(classifier, photos, own.numpy(), logits)


def test_predictions(case: Case) -> None:
    _, found = finished(predict(case.classifier, case.photos))
    assert found.confidence == pytest.approx(case.own.max(axis=1), abs=1e-6)
    assert found.predicted.tolist() == case.own.argmax(axis=1).tolist()
    assert found.label_probability == pytest.approx(case.own[np.arange(8), found.labels], abs=1e-6)
    if found.every is not None:
        assert found.every.probabilities == pytest.approx(case.own, abs=1e-6)
    assert (found.every is not None) == case.classifier.multi_label


def test_shared_interest_and_channels_of_the_set(case: Case) -> None:
    gradient = attribution.Gradient()
    explaining = shared_interest.ExplanationPass()
    asked = [shared_interest.Explanation(gradient)]
    (scored,) = finished(set_pass.once(explaining, case.classifier, case.photos, asked))[1]
    assert scored.probability == pytest.approx(case.own.max(axis=1), abs=1e-6)
    layer = case.classifier.last_spatial_layer.name
    asked = [SetTarget(layer, "label")]
    (found,) = finished(set_pass.once(AttributionPass(), case.classifier, case.photos, asked))[1]
    assert found.probability == pytest.approx(case.own.max(axis=1), abs=1e-6)
    rows = np.arange(8)
    assert found.scores == pytest.approx(case.logits.numpy()[rows, found.positive], abs=1e-5)


def test_curves_begin_and_end_at_the_probability(case: Case) -> None:
    batch = case.classifier.prepare([one.image for one in case.photos])
    heatmaps = attribution.attribute(case.classifier, batch, 1, attribution.Gradient())
    removed = evaluation.deletion(case.classifier, batch, 1, heatmaps, steps=4)
    inserted = evaluation.insertion(case.classifier, batch, 1, heatmaps, steps=4)
    assert removed.values[:, 0].numpy() == pytest.approx(case.own[:, 1], abs=1e-6)
    assert inserted.values[:, -1].numpy() == pytest.approx(case.own[:, 1], abs=1e-6)
    contrast = case.classifier.target_probabilities(case.classifier.logits(batch), [Target(1, 0)] * 8)
    assert contrast.numpy() == pytest.approx(case.own[:, 1] / (case.own[:, 0] + case.own[:, 1]), abs=1e-6)


def test_maps_explain_the_score_before_the_last_step(case: Case) -> None:
    batch = case.classifier.prepare([one.image for one in case.photos])
    pixels = colours.pixels().requires_grad_()
    hidden: list[torch.Tensor] = []
    outputs = 1 if case.logits.shape[1] == 2 else 3
    plain = colours.network(outputs, "scores")
    plain.relu.register_forward_hook(lambda part, given, output: hidden.append(output))
    score = plain(pixels)[:, -1]
    target = case.logits.shape[1] - 1
    slope, by_map = torch.autograd.grad(score.sum(), [pixels, hidden[0]])
    gradient = attribution.attribute(case.classifier, batch, target, attribution.Gradient())
    torch.testing.assert_close(gradient.values, slope.sum(dim=1), rtol=1e-5, atol=1e-6)
    cam = attribution.attribute(case.classifier, batch, target, attribution.GradCam(layer="relu"))
    weights = by_map.mean(dim=(2, 3), keepdim=True)
    expected = (weights * hidden[0]).sum(dim=1).clamp(min=0)
    torch.testing.assert_close(cam.coarse, expected.detach(), rtol=1e-5, atol=1e-6)
