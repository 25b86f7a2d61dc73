"""timm's architectures, small and with random weights, and all methods with little to do: for tests and benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from interp import models
from interp.types import Classifier

CHEAP: dict[str, dict] = {
    "SmoothGrad": {"samples": 2},
    "SmoothGrad²": {"samples": 2},
    "VarGrad": {"samples": 2},
    "Integrated Gradients": {"steps": 2},
    "Gradient SHAP": {"samples": 2},
    "Score-CAM": {"channels": 4},
    "Occlusion": {"window": 32},
    "RISE": {"masks": 8},
    "LIME": {"samples": 12, "segments": 4},
    "Kernel SHAP": {"samples": 12, "segments": 4},
}
"""Parameters of methods, by their titles, with which each runs in a few passes."""

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
    "xcit_nano_12_p16_224": (64, {"depth": 2}, "cls_attn_blocks.1.norm1"),
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
    "densenet121": (64, {"block_config": [2, 2, 3, 2]}, "features.norm5"),
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
    import timm

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
    """The small network of that name, loaded from a models folder as a person's own is."""
    size, given, _ = ARCHITECTURES[name]
    network = calibrated(name, size, given)
    save_file({part: tensor.contiguous() for part, tensor in network.state_dict().items()}, folder / "w.safetensors")
    arguments = ", ".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
    (folder / "m.toml").write_text(
        f'architecture = "timm/{name}"\nweights = "w.safetensors"\nlabels = {json.dumps(LABELS)}\n'
        f"input_size = {size}\narguments = {{ {arguments} }}\n"
    )
    return models.load("m", folder=folder, device="cpu")
