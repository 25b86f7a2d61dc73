"""Influences are those of a slow oracle that knows each architecture by its own modules, and those made by hand."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import ResNet, resnet

from interp.class_summary.influences import STRONGEST, InfluenceCount, wiring
from interp.class_summary.readings import how_read, strongest_inputs
from interp.class_summary.summary import summarize
from interp.passes.recorded import watched
from interp.types import Classifier
from tests import networks
from tests.class_summary.oracle import Oracle
from tests.class_summary.sets import pictures, pixels_of

LABELS = ("1", "0", "1", None, "1")


@cache
def network(name: str) -> Classifier:
    """A small random network in which every third factor of a batch normalization is below 0."""
    if name == "resnet18":
        plain = ResNet(resnet.BasicBlock, [2, 2, 1, 1])
        classifier = networks.described(plain.eval().requires_grad_(False), 64, classes=2)
    else:
        own = networks.shifted if name == "mobilenet_v3_large" else networks.calibrated
        found = own(name, 64)
        classifier = replace(found, module=copy.deepcopy(found.module), labels=found.labels[:2])
    generator = torch.Generator().manual_seed(1)
    for part in classifier.module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.weight.copy_(0.5 + torch.rand(part.weight.shape, generator=generator))
            part.weight[::3] *= -1
            part.bias.copy_(0.5 * torch.randn(part.bias.shape, generator=generator))
    return classifier


CASES = [
    ("squeezenet1_1", ("features.3", "features.4")),
    ("squeezenet1_1", ("features.4", "features.6")),
    ("googlenet", ("inception3a", "inception3b")),
    ("googlenet", ("inception3b", "inception4a")),
    ("resnet18", ("layer1.0", "layer1")),
    ("resnet18", ("layer1", "layer2.0")),
    ("resnet50", ("layer2.0", "layer2")),
    ("resnet50", ("layer2", "layer3.0")),
    ("mobilenet_v3_large", ("features.1", "features.2")),
    ("mobilenet_v3_large", ("features.2", "features.3")),
]


@pytest.mark.parametrize(("name", "pair"), CASES, ids=lambda one: one if isinstance(one, str) else one[1])
def test_counts_and_influences_are_those_of_the_oracle(name: str, pair: tuple[str, str]) -> None:
    classifier = network(name)
    photos = pictures(classifier, LABELS)
    pixels = pixels_of(classifier, photos)[[0, 1, 2, 4]]
    oracle = Oracle(classifier, pixels, [1, 0, 1, 1])
    block = classifier.module.get_submodule("network").get_submodule(pair[1])
    block = block[-1] if isinstance(block, nn.Sequential) else block
    summary = summarize(classifier, photos, pair)
    found, expected = summary.influences[pair], oracle.of(block)
    assert not summary.left_out[pair]
    for label in range(len(classifier.labels)):
        np.testing.assert_array_equal(found[label], expected[label])
    assert summary.unlabelled == 1 and expected[1].max() == 3 and expected[0].any()
    np.testing.assert_allclose(values(classifier, pair, pixels), oracle.values(block), rtol=1e-5, atol=1e-5)


def values(classifier: Classifier, pair: tuple[str, str], pixels: torch.Tensor) -> np.ndarray:
    """What the strongest inputs of the upper layer bring, one image after the other."""
    item, found = InfluenceCount(pair[1], before=pair[0]), wiring(classifier, *pair)
    every = []
    for one in pixels:
        seen: dict = {}
        with torch.no_grad(), watched(classifier, item.observers(classifier, seen)):
            classifier.module(one[None])
        joint = found.joints[-1]
        best = np.zeros((1, joint.width, STRONGEST), np.float32)
        named = np.full(best.shape, np.iinfo(np.uint16).max, np.uint16)
        for term in joint.terms:
            strongest_inputs(term, seen[how_read(term)], best, named)
        every.append(best)
    return np.concatenate(every)
