"""The few data types that everything speaks: images, classifiers, layers, targets, heatmaps."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms


def digest(arrays: Sequence[Tensor | np.ndarray], text: str) -> str:
    """The digest of all bytes, shapes and types of some arrays, and of a text, as 40 hexadecimal digits."""
    whole = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20)
    for array in arrays:
        plain = array.detach().cpu().numpy() if isinstance(array, Tensor) else array
        whole.update(f"{plain.dtype} {plain.shape}".encode())
        whole.update(np.ascontiguousarray(plain).tobytes())
    return whole.hexdigest()


@dataclass(frozen=True, eq=False)
class Images:
    """A batch as a classifier sees it: RGB or grey in [0, 1], before normalization, with one name for each image."""

    pixels: Float[Tensor, "n c h w"]
    names: tuple[str, ...]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all pixels and names: batches with the same fingerprint are equal."""
        return digest([self.pixels], repr(self.names))

    def __post_init__(self) -> None:
        if len(self.names) != len(self.pixels):
            raise ValueError(f"{len(self.names)} names for {len(self.pixels)} images: give one name for each image.")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, where: slice) -> Images:
        """The part of the batch that a slice names, still a batch."""
        return Images(self.pixels[where], self.names[where])


@dataclass(frozen=True)
class Layer:
    """A place where activations can be read, under its dotted module name.

    `kind` says what is there: `spatial` is (n, k, u, v), `channels_last` (n, u, v, k), and `tokens`
    (n, prefix + u·v, k), a grid of u × v behind `prefix` tokens that have no place in the picture, such as a class
    token (all three offer a map of `height` × `width`); `flat` is (n, k), with height and width 0.
    `block_end` marks the layers worth offering first: the last of each block.
    """

    name: str
    channels: int
    kind: Literal["spatial", "channels_last", "tokens", "flat"]
    height: int = 0
    width: int = 0
    block_end: bool = False
    prefix: int = 0

    @property
    def channel_axis(self) -> int:
        """The dimension along which the layer's output has its channels."""
        return {"spatial": 1, "channels_last": 3, "tokens": 2, "flat": 1}[self.kind]


@dataclass(frozen=True)
class Finding:
    """One thing that was found out, or done, when a classifier was loaded, for the reader to know.

    `kind`: `recognized` is what the files say; `guessed` what they do not say and was concluded; `left out` what is in
    them and was not used; `changed` what runs otherwise than as built; `warning` what makes answers doubtful.
    `setting` is the line of TOML that sets it otherwise, where one does.
    """

    kind: Literal["recognized", "guessed", "left out", "changed", "warning"]
    text: str
    setting: str | None = None


Outputs = Literal["softmax", "sigmoid", "probabilities", "log-probabilities"]
"""What a network's own outputs are: scores for a softmax or for a sigmoid each, probabilities, or their logarithms."""


@dataclass(frozen=True)
class Target:
    """What an explanation explains: a class's logit, or the contrast of two, `f_positive - f_negative`."""

    positive: int
    negative: int | None = None


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the classifier's input: the shorter side to `resize`, then a central crop (h, w).

    `resize` None scales the whole picture to `crop`, whatever its proportions. `channels` is 3 for RGB and 1 for grey
    (ITU-R 601: 0.299 red + 0.587 green + 0.114 blue). Normalization is no part of it: that is the classifier's first
    module.
    """

    crop: tuple[int, int]
    resize: int | None
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    channels: int = 3

    @property
    def description(self) -> str:
        """How a picture is fitted, as part of a sentence."""
        height, width = self.crop
        colours = "in grey, " if self.channels == 1 else ""
        if self.resize is None:
            return f"{colours}scaled as a whole to {height} × {width} pixels, whatever its proportions"
        return f"{colours}its shorter side scaled to {self.resize} pixels, then the central {height} × {width}"

    def pixels(self, image: Image.Image) -> Float[Tensor, "c h w"]:
        """The picture as the classifier sees it, RGB or grey in [0, 1]."""
        plain = image.convert("RGB")
        coloured = plain if self.channels == 3 else plain.convert("L")
        return transforms.pil_to_tensor(self._fit(coloured, InterpolationMode(self.interpolation))).float() / 255

    def annotation(self, mask: Bool[np.ndarray, "rows columns"]) -> Bool[Tensor, "h w"]:
        """A mask in the picture's own coordinates, carried through the same resize and crop.

        A pixel of the result is inside where at least half of its area was inside.
        """
        fitted = self._fit(Image.fromarray(mask.astype(np.uint8) * 255), InterpolationMode.BILINEAR)
        return transforms.pil_to_tensor(fitted)[0] >= 128

    def _fit(self, image: Image.Image, interpolation: InterpolationMode) -> Image.Image:
        size = list(self.crop) if self.resize is None else self.resize
        resized = transforms.resize(image, size, interpolation)  # pyright: ignore[reportArgumentType]
        return transforms.center_crop(resized, list(self.crop))  # pyright: ignore[reportArgumentType,reportReturnType]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A loaded image classifier, in eval mode, its parameters without gradients.

    `module` takes pixels in [0, 1] and gives logits: `module.normalize`, then `module.network`. Layer names are
    those of `module.network`. `outputs` is what the network as built gives; `module` gives the scores before a softmax
    or a sigmoid (`link`) in any case, one for each of `labels`. Where classes do not exclude each other, `multi_label`
    is true. A network without a head has no labels, and its `module` gives features in place of logits.

    `fingerprint` is a digest of architecture, weights and normalization: two classifiers with the same fingerprint
    compute the same function. `deterministic` is false where the network gives other numbers each time that it runs.
    `lock` guards the module: whoever runs it or sets hooks on it holds the lock, since threads that share a module
    corrupt each other's hooks. `default_layer` names the layer that methods take when none is named; None stands for
    the last that has a map. `findings` is what was found out when it was loaded.
    """

    name: str
    module: nn.Module
    labels: tuple[str, ...]
    layers: tuple[Layer, ...]
    preprocessing: Preprocessing
    device: torch.device
    fingerprint: str
    architecture: str
    wordnet_ids: tuple[str, ...] | None = None
    findings: tuple[Finding, ...] = ()
    default_layer: str | None = None
    outputs: Outputs = "softmax"
    link: Literal["softmax", "sigmoid"] = "softmax"
    multi_label: bool = False
    deterministic: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """The texts of the findings."""
        return tuple(finding.text for finding in self.findings)

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what the model sees, in pixels."""
        return self.preprocessing.crop

    @property
    def channels(self) -> int:
        """How many numbers each pixel of what the model sees has: 3 (RGB) or 1 (grey)."""
        return self.preprocessing.channels

    @property
    def parameters(self) -> int:
        """How many numbers the model has learned."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def last_spatial_layer(self) -> Layer:
        """The layer that a method takes when none is named: the last before the head that still has a map.

        Raises `ValueError` where no layer of the model has one.
        """
        if self.default_layer is not None:
            return self.layer(self.default_layer)
        spatial = [layer for layer in self.layers if layer.kind != "flat" and layer.height * layer.width > 1]
        if not spatial:
            raise ValueError(f"{self.name} has no layer with a spatial map, so methods that read one cannot run on it.")
        return spatial[-1]

    def layer(self, name: str | None) -> Layer:
        """The layer of that name; None stands for the last spatial one.

        Raises `ValueError` that lists what there is.
        """
        if name is None:
            return self.last_spatial_layer
        for layer in self.layers:
            if layer.name == name:
                return layer
        offered = ", ".join(layer.name for layer in self.layers)
        raise ValueError(f"{self.name} has no layer {name!r}. It has: {offered}.")

    def prepare(self, pictures: Sequence[Image.Image], names: Sequence[str] | None = None) -> Images:
        """Pictures of any size as one batch, on the classifier's device. Raises `ValueError` for an empty list."""
        if not pictures:
            raise ValueError("No images were given: a batch needs at least one.")
        pixels = torch.stack([self.preprocessing.pixels(picture) for picture in pictures])
        given = tuple(names) if names is not None else tuple(f"image {i + 1}" for i in range(len(pictures)))
        return Images(pixels.to(self.device), given)

    def prepare_annotations(self, masks: Sequence[Bool[np.ndarray, "_ _"]]) -> Bool[Tensor, "n h w"]:
        """Masks in the pictures' own coordinates, in the coordinates of what the model sees."""
        return torch.stack([self.preprocessing.annotation(mask) for mask in masks])

    def logits(self, images: Images) -> Float[Tensor, "n k"]:
        """The score of each class, before softmax or sigmoid."""
        with self.lock, torch.no_grad():
            return self.module(images.pixels.to(self.device))

    def probabilities(self, images: Images) -> Float[Tensor, "n k"]:
        """What the network says of each class: rows sum to 1 where classes exclude each other."""
        return self.linked(self.logits(images))

    def linked(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """Logits as probabilities: their softmax, or each one's sigmoid."""
        return logits.softmax(dim=1) if self.link == "softmax" else logits.sigmoid()

    def target_probabilities(self, logits: Float[Tensor, "n k"], targets: Sequence[Target]) -> Float[Tensor, " n"]:
        """The probability of each row's target; for a contrast of two classes p_a / (p_a + p_b)."""
        logarithms = logits.log_softmax(dim=1) if self.link == "softmax" else nn.functional.logsigmoid(logits)
        chosen = scores(logarithms, targets)
        single = torch.tensor([target.negative is None for target in targets], device=logits.device)
        return torch.where(single, chosen.exp(), chosen.sigmoid())

    def targets(self, targets: int | Target | Sequence[int | Target], count: int) -> tuple[Target, ...]:
        """One `Target` for each of `count` images, from one for all or a sequence.

        Raises `ValueError` for a class that the model does not have, a sequence of another length, and a model without
        a head.
        """
        self.require_head("An explanation")
        given = [targets] * count if isinstance(targets, int | np.integer | Target) else list(targets)
        if len(given) != count:
            raise ValueError(f"{len(given)} targets for {count} images: give one target, or one for each image.")
        resolved = tuple(one if isinstance(one, Target) else Target(int(one)) for one in given)
        for target in resolved:
            for index in (target.positive, target.negative):
                if index is not None and not 0 <= index < len(self.labels):
                    raise ValueError(
                        f"Class {index} does not exist: {self.name} has {len(self.labels)} classes, "
                        f"0 to {len(self.labels) - 1}."
                    )
            if target.positive == target.negative:
                raise ValueError(f"A contrast needs two different classes, and both are {target.positive}.")
        return resolved

    def require_head(self, what: str) -> None:
        """Raise `ValueError` where the model has no classes; `what` names who needs them."""
        if not self.labels:
            raise ValueError(
                f"{what} needs classes, and {self.name} has none: its weights have no head. Features, the embedding "
                "explorer and feature visualization run on it."
            )


def scores(logits: Float[Tensor, "n k"], targets: Sequence[Target]) -> Float[Tensor, " n"]:
    """What each image's explanation explains: its target's logit, or the difference of two."""
    rows = torch.arange(len(logits), device=logits.device)
    positive = logits[rows, [target.positive for target in targets]]
    # Without a second class the second term is the first one times zero, so that one gather serves both.
    negative = logits[rows, [target.positive if target.negative is None else target.negative for target in targets]]
    contrast = torch.tensor([float(target.negative is not None) for target in targets], device=logits.device)
    return positive - contrast * negative


@dataclass(frozen=True, eq=False)
class Heatmaps:
    """What an attribution method gives: one map for each image, raw, never normalized.

    `values` is at the size of the model's input, signed where `signed` says so. `coarse` is what a layer method gave
    before it was enlarged. `residual` is, where the method promises a sum (Integrated Gradients: completeness), the
    sum minus what it should be, in logits. `passes` counts forward and backward passes of one image, the cost.
    `precision` is that of the passes.
    """

    values: Float[Tensor, "n h w"]
    signed: bool
    targets: tuple[Target, ...]
    coarse: Float[Tensor, "n u v"] | None = None
    residual: Float[Tensor, " n"] | None = None
    passes: float = 0.0
    seconds: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all values and of what is said about them."""
        arrays = [one for one in (self.values, self.coarse, self.residual) if one is not None]
        missing = (self.coarse is None, self.residual is None)
        said = (self.signed, self.targets, *missing, self.passes, self.seconds, self.precision)
        return digest(arrays, repr(said))

    def __len__(self) -> int:
        return len(self.values)
