"""A classifier, its layers, and what was found out of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor, nn

from interp.types.pictures import Images, Preprocessing
from interp.types.targets import Target, Targets, scores


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
    them and was not used; `changed` what runs otherwise than as built; `measured` how well it was found to do;
    `warning` what makes answers doubtful.
    `setting` is the line of TOML that sets it otherwise, where one does.
    """

    kind: Literal["recognized", "guessed", "left out", "changed", "measured", "warning"]
    text: str
    setting: str | None = None


Outputs = Literal["softmax", "sigmoid", "probabilities", "log-probabilities"]
"""What a network's own outputs are: scores for a softmax or for a sigmoid each, probabilities, or their logarithms."""


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
    def has_maps(self) -> bool:
        """Whether a layer has a map, so that there is a last one; a network of linear layers alone has none."""
        return self.default_layer is not None or any(
            layer.kind != "flat" and layer.height * layer.width > 1 for layer in self.layers
        )

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
        """What the network says of each class: rows sum to 1 where classes exclude each other.

        Raises `ValueError` for a network without a head.
        """
        self.require_head("A probability")
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

    def targets(self, targets: Targets, count: int) -> tuple[Target, ...]:
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
