"""What a network gives, read as logits: one score for each class, before softmax or sigmoid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from interp.models.endings import Ending, Endings, Without
from interp.types import Finding, Outputs

LOGITS = ("logits", "output", "out", "pred", "predictions")
# Single precision: a softmax over thousands of classes sums to one to about this.
SUM = 1e-4


class NotLogits(ValueError):
    """What a network gives cannot be read as logits; the message says why, and what would be right."""


@dataclass(frozen=True)
class Reading:
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
    whole, ending, copied = _watched(module, network, probe)
    path, output = _tensor(whole)
    flattened = output.ndim == 4 and output.shape[2:] == (1, 1)
    rows = output.flatten(1) if flattened else output
    single = rows.ndim == 1 or (rows.ndim == 2 and rows.shape[1] == 1)
    _check(rows, len(probe))
    rows = rows.detach().float().reshape(len(rows), -1)
    found = _kind(rows, ending, given, single)
    reading = Reading(path, found.ending, found.undone, single, flattened, copied)
    _read_as(module, network, reading)
    said = [*_said_of_form(whole, path, flattened, copied), *found.findings]
    count = 2 if single else rows.shape[1]
    return Interpretation(found.outputs, found.link, found.multi_label, count, single, tuple(said))


def take_features(module: nn.Sequential, probe: Tensor) -> tuple[Finding, ...]:
    """Have a network without a head give rows of features; maps are averaged over their positions."""
    network = module.get_submodule("network")
    whole, _, copied = _watched(module, network, probe)
    path, output = _tensor(whole)
    if path or copied or output.ndim != 2:
        raise NotLogits(f"Without its head the network gives {_described(whole)}: rows of features are expected.")
    return ()


def _watched(module: nn.Sequential, network: nn.Module, probe: Tensor) -> tuple[Any, Ending | None, bool]:
    """What the network gives, the step that it ends in, and whether it writes on its input."""
    entered: list[tuple[Tensor, int]] = []
    handle = network.register_forward_pre_hook(lambda part, inputs: entered.append((inputs[0], inputs[0]._version)))
    endings = Endings(network)
    try:
        with torch.inference_mode(False), torch.enable_grad(), endings.watching():
            whole = module(probe.clone().requires_grad_())
    finally:
        handle.remove()
    ((inputs, version),) = entered[:1]
    return whole, endings.ending(_tensor(whole)[1]), inputs._version != version


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


@dataclass(frozen=True)
class _Kind:
    outputs: Outputs
    link: Literal["softmax", "sigmoid"]
    multi_label: bool
    ending: Ending | None
    undone: Literal["logarithm", "logit"] | None
    findings: tuple[Finding, ...]


def _kind(rows: Tensor, ending: Ending | None, given: Outputs | None, single: bool) -> _Kind:
    shares = bool((rows >= 0).all()) and bool((rows <= 1 + SUM).all())
    sums = shares and not single and _is_one(rows.sum(dim=1))
    logarithms = not single and bool((rows <= SUM).all()) and _is_one(rows.exp().sum(dim=1))
    _check_said(given, shares, logarithms, single)
    if single and ending is not None and ending.step != "sigmoid":
        raise NotLogits(
            f"The network ends in a {ending.step} over one output, which is the same for every image: it needs a "
            "sigmoid there, or two outputs."
        )
    step = ending.step if ending is not None else None
    if step == "sigmoid" and given == "softmax":
        step, ending = None, None
    if ending is not None and step is not None:
        return _ended(ending, step, single)
    if given == "log-probabilities" or (given is None and logarithms):
        return _Kind("log-probabilities", "softmax", False, None, None, (_of_logarithms(given),))
    if given == "probabilities" or (given is None and sums):
        return _undone(sums, single, given)
    if single:
        how = "recognized" if given else "guessed"
        return _Kind("sigmoid", "sigmoid", False, None, None, (Finding(how, _SINGLE),))
    if given == "sigmoid":
        said = "Each class has its own sigmoid: several can be present in one image, or none."
        return _Kind("sigmoid", "sigmoid", True, None, None, (Finding("recognized", said),))
    said = "Its outputs are scores for a softmax: one class excludes the others."
    if given is None:
        said = f"{said} Nothing in it says so: if every class has a sigmoid of its own, set it."
        return _Kind("softmax", "softmax", False, None, None, (Finding("guessed", said, 'outputs = "sigmoid"'),))
    return _Kind("softmax", "softmax", False, None, None, (Finding("recognized", said),))


def _is_one(sums: Tensor) -> bool:
    return bool(((sums - 1).abs() < SUM).all())


def _check_said(given: Outputs | None, shares: bool, logarithms: bool, single: bool) -> None:
    if given == "softmax" and single:
        raise NotLogits(
            'outputs = "softmax" does not fit a network with one output, whose softmax is always 1: set '
            'outputs = "sigmoid".'
        )
    if given == "probabilities" and not shares:
        raise NotLogits(
            'outputs = "probabilities" does not fit: the network gives numbers outside of 0 to 1. For scores set '
            'outputs = "softmax", or "sigmoid" where classes do not exclude each other.'
        )
    if given == "log-probabilities" and not logarithms:
        raise NotLogits(
            'outputs = "log-probabilities" does not fit: the exponentials of what the network gives do not sum to 1. '
            'For scores set outputs = "softmax", or "sigmoid" where classes do not exclude each other.'
        )


_SINGLE = (
    "It has one output f: a binary classifier. f scores the second of two labels, −f the first; their probabilities "
    "are the sigmoids."
)


def _ended(ending: Ending, step: str, single: bool) -> _Kind:
    said = (
        f"It ends in a {step}. That step is left out, so that the scores before it are explained; the probabilities "
        "shown are still its own."
    )
    findings = [Finding("changed", said)]
    if single:
        findings.append(Finding("recognized", _SINGLE))
    elif step == "sigmoid":
        findings.append(Finding("recognized", "Each class has its own sigmoid: several can be present in one image."))
    outputs: Outputs = "log-probabilities" if step == "log-softmax" else "probabilities"
    link = "sigmoid" if step == "sigmoid" else "softmax"
    return _Kind(outputs, link, step == "sigmoid" and not single, ending, None, tuple(findings))


def _of_logarithms(given: Outputs | None) -> Finding:
    said = (
        "Its outputs are logarithms of probabilities, and the step that makes them was not found: they are explained "
        "as they are, so that what lowers the other classes counts, too."
    )
    return Finding("recognized" if given else "guessed", said, 'outputs = "log-probabilities"')


def _undone(sums: bool, single: bool, given: Outputs | None) -> _Kind:
    """Probabilities whose last step was not found: their logarithms, or logits, are taken."""
    how = "recognized" if given else "guessed"
    which = "logarithms" if sums else "logits, log p − log(1 − p),"
    said = (
        f"Its outputs are probabilities, and the step that makes them was not found: their {which} are explained in "
        "place of the scores before it. Where a probability is 0 or 1 in single precision, they say nothing."
    )
    findings = (Finding(how, said, 'outputs = "softmax"'), *([Finding("recognized", _SINGLE)] if single else []))
    if sums:
        return _Kind("probabilities", "softmax", False, None, "logarithm", findings)
    return _Kind("probabilities", "sigmoid", not single, None, "logit", findings)


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


def _read_as(module: nn.Sequential, network: nn.Module, reading: Reading) -> None:
    """Have a network give what a reading makes of what it gives; its parts keep their names."""
    if reading.ending is not None and reading.ending.module is not None:
        network.set_submodule(reading.ending.module, nn.Identity())
        reading = Reading(reading.path, None, reading.undone, reading.single, reading.flattened, reading.copied)
    if reading == Reading():
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
