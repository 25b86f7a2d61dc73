"""Every method on every architecture that peers stumble over."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import VisionTransformer

from benchmarks.small_networks import CHEAP
from interp import attribution
from interp.attribution import METHODS, obstacles
from tests.networks import NAMES, calibrated, described, pictures

# Their rectifiers have two ends (MobileNetV2), or half of the channels goes past all (ShuffleNet).
MOBILE = ("mobilenet_v2", "mnasnet0_5", "shufflenet_v2_x0_5")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NAMES, *MOBILE])
def test_all_methods_run_everywhere(name: str) -> None:
    classifier = calibrated(name, 64)
    assert obstacles(classifier) == {}
    batch = pictures(classifier, 1)
    target = int(classifier.logits(batch).argmax())
    methods = [kind(**CHEAP.get(title, {})) for title, kind in METHODS.items()]
    found = {method.title: heatmaps for method, heatmaps in attribution.compare(classifier, batch, target, methods)}
    assert set(found) == set(METHODS)
    for title, heatmaps in found.items():
        assert heatmaps.values.shape == (1, 64, 64) and heatmaps.values.isfinite().all(), title
        # Of a random network's tiny last map the ReLU of a CAM may leave nothing.
        assert "CAM" in title or heatmaps.values.abs().max() > 0, title
    assert not torch.equal(found["Guided Backprop"].values, found["Gradient"].values)


def test_a_transformer_rules_nothing_out() -> None:
    network = VisionTransformer(64, 16, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=5)
    assert obstacles(described(network.eval().requires_grad_(False), 64, 5)) == {}
