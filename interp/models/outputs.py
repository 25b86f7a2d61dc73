"""What a network gives, read as logits: one score for each class, before softmax or sigmoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from interp.models.endings import Ending, Endings, Without
from interp.models.kinds import NotLogits, kind_of
from interp.types import Finding, Outputs

LOGITS = ("logits", "output", "out", "pred", "predictions")


@dataclass(frozen=True)
class OutputReading:
    """How what a network's forward method gives becomes logits.

    `path` leads to the tensor in what it gives; `ending` is the step to probabilities that is left out; `undone` is
    the inverse that is taken where no such step can be. `single` is one logit f for an image, which becomes (−f, f).
    `flattened` drops positions of size one. `copied` gives the network a copy of its input, on which it writes.
    """

    path: tuple[str | int, ...] = ()
    ending: Ending | None = None
    undone: Literal["logarithm", "logit"] | None = None
    single: bool = False
    flattened: bool = False
    copied: bool = False

    def logits(self, given: Any) -> Tensor:
        """What a forward pass gave, as logits [n, k]."""
        for step in self.path:
            given = getattr(given, step) if isinstance(step, str) and not _is_mapping(given) else given[step]
        if self.flattened:
            given = given.flatten(1)
        if self.undone is not None:
            least = torch.finfo(torch.float32).tiny
            logarithm = given.clamp(min=least).log()
            given = logarithm - ((1 - given).clamp(min=least).log() if self.undone == "logit" else 0)
        if self.single:
            one = given.reshape(-1, 1)
            given = torch.cat([-one, one], dim=1)
        return given


@dataclass(frozen=True)
class Interpretation:
    """What a network's outputs are found to be; the fields are those of `interp.types.Classifier`.

    `count` is the number of logits, and `single` whether they are one and its negation.
    """

    outputs: Outputs
    link: Literal["softmax", "sigmoid"]
    multi_label: bool
    count: int
    single: bool
    findings: tuple[Finding, ...]


def interpret(module: nn.Sequential, probe: Tensor, given: Outputs | None) -> Interpretation:
    """Find out what `module.network` gives for a batch of two images, and have it give logits from now on.

    `given` is what its owner says of its outputs. Raises `NotLogits` where no logits are to be had, or where the
    outputs are not what they are said to be.
    """
    network = module.get_submodule("network")
    whole, ending, copied, inputs = _watched(module, network, probe)
    path, output = _tensor(whole)
    flattened = output.ndim == 4 and output.shape[2:] == (1, 1)
    rows = output.flatten(1) if flattened else output
    single = rows.ndim == 1 or (rows.ndim == 2 and rows.shape[1] == 1)
    _check(rows, len(probe))
    _check_gradient(rows, inputs)
    rows = rows.detach().float().reshape(len(rows), -1)
    found = kind_of(rows, ending, given, single)
    reading = OutputReading(path, found.ending, found.undone, single, flattened, copied)
    _read_as(module, network, reading)
    said = [*_said_of_form(whole, path, flattened, copied), *found.findings]
    count = 2 if single else rows.shape[1]
    return Interpretation(found.outputs, found.link, found.multi_label, count, single, tuple(said))


def take_features(module: nn.Sequential, probe: Tensor) -> Interpretation:
    """A network without a head gives rows of features, and no classes. Raises `NotLogits` where it gives no rows."""
    network = module.get_submodule("network")
    whole, _, copied, _ = _watched(module, network, probe)
    path, output = _tensor(whole)
    if path or copied or output.ndim != 2:
        raise NotLogits(f"Without its head the network gives {_described(whole)}: rows of features are expected.")
    return Interpretation("softmax", "softmax", False, 0, False, ())


def _watched(module: nn.Sequential, network: nn.Module, probe: Tensor) -> tuple[Any, Ending | None, bool, Tensor]:
    """What the network gives, the step that it ends in, whether it writes on its input; and the pixels given."""
    entered: list[tuple[Tensor, int]] = []
    handle = network.register_forward_pre_hook(lambda part, inputs: entered.append((inputs[0], inputs[0]._version)))
    endings = Endings(network)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            pixels = probe.clone().requires_grad_()
            with endings.watching():
                whole = module(pixels)
    finally:
        handle.remove()
    ((inputs, version),) = entered[:1]
    return whole, endings.ending(_tensor(whole)[1]), inputs._version != version, pixels


def _tensor(given: Any) -> tuple[tuple[str | int, ...], Tensor]:
    """The tensor that holds the outputs in what a network gives, and the way to it."""
    if isinstance(given, Tensor):
        return (), given
    if _is_mapping(given):
        items = list(given.items())
        items.sort(key=lambda item: LOGITS.index(item[0]) if item[0] in LOGITS else len(LOGITS))
    elif isinstance(given, tuple | list):
        items = list(enumerate(given))
        if isinstance(getattr(given, "logits", None), Tensor):
            items = [("logits", given.logits)]  # pyright: ignore[reportAttributeAccessIssue]
    else:
        items = [(name, getattr(given, name)) for name in LOGITS if isinstance(getattr(given, name, None), Tensor)]
    fitting = [(step, one) for step, one in items if isinstance(one, Tensor) and one.ndim in (1, 2)]
    if not fitting:
        raise NotLogits(
            f"The network gives {_described(given)}: it must give logits of shape [images, classes], alone, as the "
            "first such tensor of a tuple or list, or as 'logits' of a dictionary or an object."
        )
    return (fitting[0][0],), fitting[0][1]


def _is_mapping(given: Any) -> bool:
    return isinstance(given, Mapping)


def _described(given: Any) -> str:
    if isinstance(given, Tensor):
        return f"a tensor of shape {list(given.shape)}"
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {', '.join(_described(one) for one in given[:4]) or 'nothing'}"
    if _is_mapping(given):
        return f"a dictionary of {', '.join(map(repr, list(given)[:4]))}"
    return f"a {type(given).__name__}"


def _check(rows: Tensor, images: int) -> None:
    if rows.ndim not in (1, 2) or not rows.numel():
        raise NotLogits(
            f"For {images} images the network gives a tensor of shape {list(rows.shape)}: it must give logits of "
            "shape [images, classes]."
        )
    if len(rows) != images:
        raise NotLogits(
            f"For {images} images the network gives {len(rows)} {'row' if len(rows) == 1 else 'rows'} of logits: it "
            "must give one for each image. Does its forward method take the first image only, or average over all?"
        )
    if not rows.is_floating_point():
        raise NotLogits(
            f"The network gives {rows.dtype}: logits must be real numbers in floating point. Return the scores "
            "themselves, not the class that is largest."
        )
    if not rows.requires_grad:
        raise NotLogits(
            "What the network gives has no gradient to its input: take .detach(), torch.no_grad() or numpy out of its "
            "forward method."
        )
    if not bool(rows.isfinite().all()):
        raise NotLogits("For pictures of noise the network gives numbers that are not finite: check its weights.")


def _check_gradient(rows: Tensor, pixels: Tensor) -> None:
    try:
        torch.autograd.grad(rows.sum(), pixels, allow_unused=True)
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise NotLogits(
            "Its gradient cannot be computed, by plain PyTorch either: an operation in place, such as y += x on what a "
            "ReLU gave, overwrites what the backward pass needs. Write y = y + x in the network's forward method."
        ) from None


def _said_of_form(whole: Any, path: tuple[str | int, ...], flattened: bool, copied: bool) -> list[Finding]:
    said = []
    if path:
        said.append(
            Finding("recognized", f"Of what it gives, {_described(whole)}, {path[0]!r} is taken as the logits.")
        )
    if flattened:
        said.append(Finding("changed", "Its logits have positions of size 1 × 1, which are dropped."))
    if copied:
        said.append(Finding("changed", "It writes on its input: it is given a copy."))
    return said


def _read_as(module: nn.Sequential, network: nn.Module, reading: OutputReading) -> None:
    """Have a network give what a reading makes of what it gives; its parts keep their names."""
    if reading.ending is not None and reading.ending.module is not None:
        network.set_submodule(reading.ending.module, nn.Identity())
        reading = OutputReading(reading.path, None, reading.undone, reading.single, reading.flattened, reading.copied)
    if reading == OutputReading():
        return
    built = type(network)

    def forward(self: nn.Module, pixels: Tensor) -> Tensor:
        given = pixels.clone() if reading.copied else pixels
        if reading.ending is None:
            return reading.logits(built.forward(self, given))
        if isinstance(given, fx.Proxy):
            raise ValueError("its last step is left out while it runs")
        with Without(reading.ending.calls):
            whole = built.forward(self, given)
        return reading.logits(whole)

    # The same object under a class of its own: so its parts keep their names, and copies of it do the same.
    network.__class__ = type(built.__name__, (built,), {"forward": forward, "__module__": built.__module__})
