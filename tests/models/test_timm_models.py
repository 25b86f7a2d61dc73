"""Architectures of timm: loaded from a file under their own names, their default layer, and Grad-CAM there."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import peer_maps as peers
from benchmarks.small_networks import ARCHITECTURES, LABELS, calibrated, loaded
from interp import attribution, models
from interp.types import Images, Layer

timm = pytest.importorskip("timm")


def reshaped(layer: Layer):
    """What pytorch-grad-cam calls a reshape transform, as its documentation has it for transformers."""

    def transform(tensor: Tensor) -> Tensor:
        if layer.kind == "channels_last":
            return tensor.permute(0, 3, 1, 2)
        grid = tensor[:, layer.prefix :].reshape(len(tensor), layer.height, layer.width, layer.channels)
        return grid.permute(0, 3, 1, 2)

    return None if layer.kind == "spatial" else transform


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_loads_with_a_layer_whose_grad_cam_is_its_peers(name: str, tmp_path: Path):
    one = loaded(tmp_path, name)
    size, given, layer = ARCHITECTURES[name]
    assert (one.labels, one.input_size) == (tuple(LABELS), (size, size))
    assert one.last_spatial_layer.name == layer
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(2))
    # The function is timm's own.
    network = calibrated(name, size, given).eval()
    with torch.no_grad():
        expected = network(one.module.get_submodule("normalize")(pixels))
    torch.testing.assert_close(one.module(pixels), expected, atol=1e-4 * float(expected.abs().max()), rtol=0)
    found = [
        (target, attribution.attribute(one, Images(pixels, ("a",)), target, attribution.GradCam()))
        for target in (0, 1, 2)
    ]
    target, strongest = max(found, key=lambda pair: float(pair[1].coarse.max()))
    assert float(strongest.coarse.max()) > 0
    peer = peers.reshaped_grad_cam(one, pixels, target, reshaped(one.last_spatial_layer))
    assert torch.nn.functional.cosine_similarity(strongest.coarse.flatten(), peer.flatten(), dim=0) > 0.999


def test_without_timm_it_is_said_how_to_get_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match="timm is not installed.*pip install timm"):
        models.load("timm/resnet10t", weights="random", labels=LABELS)


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(ValueError, match="has no model 'resnet10'. Did you mean"):
        models.load("timm/resnet10", weights="random", labels=LABELS)
    with pytest.raises(ValueError, match="could not build resnet10t.*no_such"):
        from interp.models import timm_models

        timm_models.recipe("resnet10t", "random", None, {"no_such": 1}).build(3, (64, 64))


def test_preprocessing_is_that_of_timms_own_evaluation():
    one = models.load("timm/resnet10t", weights="random", labels=LABELS, device="cpu")
    from timm.data import create_transform, resolve_data_config

    settings = resolve_data_config({}, model=timm.create_model("resnet10t"))
    theirs = create_transform(**settings)
    assert (one.preprocessing.resize, one.preprocessing.crop) == (theirs.transforms[0].size, theirs.transforms[1].size)
    normalize = one.module.get_submodule("normalize")
    assert torch.allclose(normalize.mean.flatten(), theirs.transforms[-1].mean)
