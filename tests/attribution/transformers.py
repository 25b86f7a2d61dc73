"""Small seeded transformers of every make, with biases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional

from interp.types import Classifier, Images, Layer, Preprocessing


class Attention(nn.Module):
    """One block of attention and one of two linear layers, written as people write them."""

    def __init__(self, channels: int = 8, heads: int = 2) -> None:
        super().__init__()
        self.first, self.second, self.last = (nn.LayerNorm(channels) for _ in range(3))
        self.heads, self.scale = heads, (channels / heads) ** 0.5
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 12), nn.GELU(), nn.Linear(12, channels))
        self.patch = nn.Conv2d(3, channels, 8, 8)
        self.token, self.positions = nn.Parameter(torch.zeros(1, 1, channels)), nn.Parameter(torch.zeros(5, channels))
        self.head = nn.Linear(channels, 3)

    def attended(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return torch.softmax(query @ key.mT / self.scale, -1) @ value

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        signal = self.patch(pixels).flatten(2).transpose(1, 2)
        signal = torch.cat([self.token.expand(len(signal), -1, -1), signal], 1) + self.positions
        parts = self.qkv(self.first(signal)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        signal = signal + self.out(self.attended(*parts.unbind(0)).transpose(1, 2).flatten(2))
        signal = signal + self.mlp(self.second(signal))
        return self.head(self.last(signal).mean(dim=1))


class Einsums(Attention):
    def attended(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        likeness = torch.einsum("bhqd,bhkd->bhqk", query, key) / self.scale
        hidden = torch.ones(5, 5, dtype=torch.bool).triu(3)
        weights = functional.softmax(likeness.masked_fill(hidden, float("-inf")), dim=-1)
        return torch.einsum("bhqk,bhkd->bhqd", weights, value)


class Causal(Attention):
    def attended(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        unit = functional.normalize(query, dim=-1)
        return functional.scaled_dot_product_attention(unit, key, value, is_causal=True, scale=0.7)


class Encoder(nn.Module):
    """PyTorch's own layer of attention, over patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 8, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True, activation="gelu")
        self.head = nn.Linear(8, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.patch(pixels).flatten(2).transpose(1, 2)).mean(dim=1))


class Responses(nn.Module):
    """Global response normalization (ConvNeXt V2), group and RMS normalization, gates of channels and tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.group, self.rms = nn.Conv2d(3, 8, 4, 4), nn.GroupNorm(2, 8), nn.RMSNorm(8)
        self.weight, self.bias = nn.Parameter(torch.zeros(8)), nn.Parameter(torch.zeros(8))
        self.gate, self.head = nn.Linear(16, 16), nn.Linear(4, 3)
        self.near = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        signal = self.group(self.patch(pixels)).permute(0, 2, 3, 1)
        lengths = signal.norm(p=2, dim=(1, 2), keepdim=True)
        relative = lengths / (lengths.mean(dim=-1, keepdim=True) + 1e-6)
        signal = signal + torch.addcmul(self.bias, self.weight, signal * relative)
        strength = self.near(signal.mean(dim=(1, 2))[:, None]).sigmoid()[:, :, None]
        signal = signal * strength * (signal.var(dim=-1, keepdim=True) + 1e-6).rsqrt()
        one, other = self.rms(signal).flatten(1, 2).chunk(2, dim=-1)
        return self.head((one * self.gate(other.mT).mT - 0.2 * one.square()).mean(dim=1))


def _torchvision_vit() -> nn.Module:
    from torchvision.models import VisionTransformer

    return VisionTransformer(16, 8, 2, 2, 8, 16, num_classes=3)


def _torchvision_swin(version: int) -> nn.Module:
    from torchvision.models import swin_transformer as swin

    blocks = {1: (swin.SwinTransformerBlock, swin.PatchMerging), 2: (swin.SwinTransformerBlockV2, swin.PatchMergingV2)}
    block, merging = blocks[version]
    return swin.SwinTransformer([2, 2], 8, [1, 2], [2, 2], [3, 3], num_classes=3, block=block, downsample_layer=merging)


OWN: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "softmax and @": (Attention, 16),
    "einsum and a mask": (Einsums, 16),
    "causal, scaled": (Causal, 16),
    "TransformerEncoderLayer": (Encoder, 16),
    "GRN, RMS and group norm": (Responses, 16),
    "torchvision ViT": (_torchvision_vit, 16),
    "torchvision Swin": (partial(_torchvision_swin, 1), 32),
    "torchvision Swin V2": (partial(_torchvision_swin, 2), 32),
}
"""Networks by name, and the size of their pictures."""

_VIT = {"embed_dim": 8, "depth": 2, "num_heads": 2, "num_classes": 3}
_SWIN = {"embed_dim": 8, "depths": (1, 2), "num_heads": (2, 2), "num_classes": 3}
TIMM: dict[str, tuple[str, dict, int]] = {
    "ViT": ("vision_transformer.VisionTransformer", {"img_size": 16, "patch_size": 8, "init_values": 1.0, **_VIT}, 16),
    "DeiT": ("deit.VisionTransformerDistilled", {"img_size": 16, "patch_size": 8, **_VIT}, 16),
    "BEiT": (
        "beit.Beit", {"img_size": 16, "patch_size": 8, "init_values": 1.0, "use_rel_pos_bias": True, **_VIT}, 16
    ),
    "EVA": ("eva.Eva", {"img_size": 16, "patch_size": 8, "use_rot_pos_emb": True, "swiglu_mlp": True, **_VIT}, 16),
    "CaiT": ("cait.Cait", {"img_size": 16, "patch_size": 8, "init_values": 1.0, **_VIT}, 16),
    "Swin": ("swin_transformer.SwinTransformer", {"img_size": 32, "window_size": 4, **_SWIN}, 32),
    "Mixer": (
        "mlp_mixer.MlpMixer", {"img_size": 16, "patch_size": 8, "embed_dim": 8, "num_blocks": 2, "num_classes": 3}, 16
    ),
    "ConvNeXt V2": ("convnext.ConvNeXt", {"depths": (1, 1, 1, 1), "dims": (8, 8, 8, 8), "use_grn": True,
                    "ls_init_value": None, "num_classes": 3}, 32),
}  # fmt: skip
"""Classes of timm, their arguments, and the size of their pictures."""


def seeded(network: nn.Module, size: int, *, biases: float = 0.3) -> Classifier:
    """The network as a classifier, every parameter drawn anew; one-dimensional ones of a norm lie about 1."""
    generator = torch.Generator().manual_seed(4)
    for name, parameter in network.named_parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        weighing = parameter.ndim == 1 and not name.endswith("bias")
        if weighing:
            parameter.data.copy_(1 + 0.3 * drawn)
        elif name.endswith("weight") and parameter.ndim > 1:
            parameter.data.copy_(1.2 * drawn / parameter[0].numel() ** 0.5)
        else:
            parameter.data.copy_(biases * drawn)
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    return Classifier(
        name="seeded",
        module=module,
        labels=("cat", "dog", "fish"),
        layers=(Layer("patch", 8, "spatial", 2, 2, True),),
        preprocessing=Preprocessing(crop=(size, size), resize=size),
        device=torch.device("cpu"),
        fingerprint="seeded",
        architecture="seeded",
    )


def own(name: str, *, biases: float = 0.3) -> Classifier:
    build, size = OWN[name]
    return seeded(build(), size, biases=biases)


def timm(name: str, *, biases: float = 0.3) -> Classifier:
    from importlib import import_module

    place, arguments, size = TIMM[name]
    module, kind = place.split(".")
    return seeded(getattr(import_module(f"timm.models.{module}"), kind)(**arguments), size, biases=biases)


def noise(classifier: Classifier, count: int = 2) -> Images:
    pixels = torch.rand(count, 3, *classifier.input_size, generator=torch.Generator().manual_seed(6))
    return Images(pixels, tuple(str(i) for i in range(count)))
