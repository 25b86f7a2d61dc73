"""Architectures of timm: loaded from a file under their own names, their default layer, and Grad-CAM there."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from interp import attribution, models
from interp.types import Classifier, Images, Layer
from tests.attribution import peers

timm = pytest.importorskip("timm")

LABELS = ["bee", "moth", "wasp"]
TINY = {"embed_dim": 48, "depth": 2, "num_heads": 3}
SWIN = {"embed_dim": 24, "depths": [1, 1, 2, 1], "num_heads": [1, 2, 4, 8]}
# By name: the size of its images, what makes it small, and the default layer.
ARCHITECTURES: dict[str, tuple[int, dict, str]] = {
    "vit_tiny_patch16_224": (64, TINY, "blocks.1.norm1"),
    "vit_small_patch14_reg4_dinov2": (56, TINY, "blocks.1.norm1"),
    "deit_tiny_patch16_224": (64, TINY, "blocks.1.norm1"),
    "deit_tiny_distilled_patch16_224": (64, TINY, "blocks.1.norm1"),
    "beit_base_patch16_224": (64, TINY, "blocks.1"),
    "eva02_tiny_patch14_224": (56, TINY, "blocks.1"),
    "cait_xxs24_224": (64, TINY, "blocks_token_only.1.norm1"),
    "xcit_nano_12_p16_224": (64, {}, "cls_attn_blocks.1.norm1"),
    "swin_tiny_patch4_window7_224": (224, SWIN, "norm"),
    "convnext_atto": (64, {}, "stages.3"),
    "convnextv2_atto": (64, {}, "stages.3"),
    "efficientnet_b0": (64, {}, "bn2"),
    "mobilenetv2_050": (64, {}, "bn2"),
    "mobilenetv3_small_050": (64, {}, "blocks.5"),
    "regnetx_002": (64, {}, "s4"),
    "maxvit_rmlp_pico_rw_256": (256, {"depths": [1, 1, 1, 1]}, "norm"),
    "mixer_s32_224": (224, {}, "norm"),
    "resmlp_12_224": (64, {}, "norm"),
    "gmlp_s16_224": (64, {}, "norm"),
    "resnest14d": (64, {}, "layer4"),
    "resnet10t": (64, {}, "layer4"),
    "densenet121": (64, {}, "features.norm5"),
    "ghostnet_050": (64, {}, "blocks.9"),
    "mnasnet_050": (64, {}, "bn2"),
    "levit_128s": (224, {}, "stages.2"),
    "poolformer_s12": (64, {}, "stages.3"),
    "pvt_v2_b0": (64, {}, "stages.3"),
    "edgenext_xx_small": (64, {}, "stages.3"),
    "mobilevit_xxs": (64, {}, "final_conv"),
}


def calibrated(name: str, size: int, given: dict) -> nn.Module:
    """A network with random weights in all places, heads that begin with zeros too, and scores that differ."""
    torch.manual_seed(0)
    try:
        network = timm.create_model(name, num_classes=3, img_size=size, **given)
    except TypeError:
        network = timm.create_model(name, num_classes=3, **given)
    generator = torch.Generator().manual_seed(1)
    for part, tensor in network.state_dict().items():
        if tensor.is_floating_point() and not tensor.any() and "running" not in part:
            tensor.normal_(0, 0.05, generator=generator)
    return network


def loaded(folder: Path, name: str) -> Classifier:
    size, given, _ = ARCHITECTURES[name]
    network = calibrated(name, size, given)
    save_file({part: tensor.contiguous() for part, tensor in network.state_dict().items()}, folder / "w.safetensors")
    arguments = ", ".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
    (folder / "m.toml").write_text(
        f'architecture = "timm/{name}"\nweights = "w.safetensors"\nlabels = {json.dumps(LABELS)}\n'
        f"input_size = {size}\narguments = {{ {arguments} }}\n"
    )
    return models.load("m", folder=folder, device="cpu")


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
