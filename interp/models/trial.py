"""A network is tried as it was built and as it is about to be run: it must compute the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from interp.models import hooks
from interp.types import Finding

# As shares of the largest logit: the same arithmetic, and sums taken in another order.
SAME_ORDER, OTHER_ORDER = 1e-5, 1e-3
CHANNELS_LAST = "in channels-last memory"


@dataclass(frozen=True)
class Trial:
    """What came out of it: whether two runs gave the same, and what the reader should know.

    `answers` are two sums of the network's logits, to few digits: another function has others.
    """

    deterministic: bool
    answers: tuple[str, ...]
    findings: tuple[Finding, ...]


def settle(module: nn.Module, probe: Tensor, *, channels_last: bool) -> Trial:
    """Run in-place modules out of place, and the network in channels-last memory, where its logits stay the same.

    In-place modules overwrite what hooks have taken, and channels-last memory is faster on most devices; where one of
    the two fails, or changes what is computed, the network stays as it was built; so does one that draws at random,
    where that cannot be told. `probe` is a batch of at least two
    images.
    """
    built = _logits(module, probe)
    changes = _changes(module, channels_last=channels_last)
    for change in changes:
        change.make(True)
    # With other random numbers than before, so that one pass tells of both, changes and chance.
    difference, error = _tried(module, probe, built, seed=1)
    findings: list[Finding] = []
    if error is None and difference <= max((change.tolerance for change in changes), default=SAME_ORDER):
        done = [change.what for change in changes]
    else:
        for change in changes:
            change.make(False)
        if _apart(_logits(module, probe, seed=1), built) > SAME_ORDER:
            _plain(module)
            return Trial(False, (), (_CHANCE,))
        done, difference = _one_by_one(module, probe, built, changes, findings)
    if CHANNELS_LAST not in done:
        _plain(module)
    if done:
        said = f"Runs {' and '.join(done)}, other than as built: logits of noise differ by at most {difference:.1g} of"
        findings.append(Finding("changed", f"{said} the largest."))
    if _apart(_logits(module, probe[:1]), built[:1]) > OTHER_ORDER:
        findings.append(_TOGETHER)
    elif any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in module.modules()):
        findings.extend(_mended(module, probe))
    return Trial(True, _answers(built), tuple(findings))


@dataclass(frozen=True)
class _Change:
    """Something that a network may be run with, other than as built, and how far its logits may then be off."""

    what: str
    tolerance: float
    make: Callable[[bool], None]


def _changes(module: nn.Module, *, channels_last: bool) -> list[_Change]:
    overwriting = [part for part in module.modules() if getattr(part, "inplace", False)]
    changes = []
    if overwriting:
        changes.append(_Change("out of place", SAME_ORDER, lambda on: _set_inplace(overwriting, not on)))
    if channels_last:
        changes.append(_Change(CHANNELS_LAST, OTHER_ORDER, lambda on: _order(module, on)))
    return changes


def _one_by_one(
    module: nn.Module, probe: Tensor, built: Tensor, changes: Sequence[_Change], findings: list[Finding]
) -> tuple[list[str], float]:
    """Make each change that leaves the logits as they are, and say why of the others; gives those and their error."""
    done, largest = [], 0.0
    for change in changes:
        change.make(True)
        difference, error = _tried(module, probe, built)
        if error is None and difference <= change.tolerance:
            done.append(change.what)
            largest = max(largest, difference)
        else:
            change.make(False)
            findings.append(_kept(change.what, difference, error))
    return done, largest


def _mended(module: nn.Module, probe: Tensor) -> list[Finding]:
    """What was done about a gradient that is another one for an image alone than beside another image."""
    if _gradients_agree(module, probe):
        return []
    hooks.plain_gradients(module)
    return [_GRADIENT if _gradients_agree(module, probe) else _APART]


def _gradients_agree(module: nn.Module, probe: Tensor) -> bool:
    """Whether the gradient of an image alone is that of the same image in a batch.

    One image for which it is will do: where rounding takes a rectifier past its corner, gradients differ by more than
    rounding, but hardly for each of three images, as with a fault they do.
    """
    return any(_gradients_apart(module, one) <= OTHER_ORDER for one in (probe, probe.flip(2), probe.flip(3)))


def _gradients_apart(module: nn.Module, probe: Tensor) -> float:
    """How far the two are apart, as a share of the largest."""
    alone, together = (_gradient(module, one)[0] for one in (probe[:1], probe))
    largest = float(together.abs().max())
    return float((alone - together).abs().max()) / largest if largest else 0.0


def _gradient(module: nn.Module, probe: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        pixels = probe.clone().requires_grad_()
        logits = module(pixels)
        weights = torch.randn(logits.shape[1], generator=torch.Generator().manual_seed(0)).to(logits.device)
        return torch.autograd.grad((logits * weights).sum(), pixels)[0]


_GRADIENT = Finding(
    "changed",
    "PyTorch gives another gradient for one image than for the same image in a batch, a fault of its batch "
    "normalization on a processor: gradients are handed to it in plain order of memory, and agree.",
)
_APART = Finding(
    "warning",
    "The gradient of one image is another one than that of the same image in a batch, though the scores are the same. "
    "Maps of single images may be wrong.",
)


def _answers(logits: Tensor) -> tuple[str, ...]:
    # Few digits: another processor rounds otherwise.
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0)).to(logits.device)
    return f"{float(logits.norm()):.2e}", f"{float((logits * weights).sum()):.2e}"


_CHANCE = Finding(
    "warning",
    "It gives other logits each time that it runs on the same image: something in it draws at random, such as "
    "F.dropout without training=self.training. No result of it is the truth, and none is kept on disk.",
)
_TOGETHER = Finding(
    "warning",
    "An image's logits depend on which images run beside it in a batch: something in it normalizes over the batch, "
    "such as batch normalization that is still training. Maps hang on that, too.",
)


def _kept(what: str, difference: float, error: Exception | None) -> Finding:
    why = f"its logits would differ by {difference:.2g} of the largest"
    if error is not None:
        why = f"it fails otherwise ({type(error).__name__}: {_first_line(error)})"
    return Finding("warning", f"Not run {what}, but as built: {why}.")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _logits(module: nn.Module, probe: Tensor, *, seed: int = 0) -> Tensor:
    # What is drawn at random is drawn alike, so that a change shows for itself.
    devices = [probe.device] if probe.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        torch.manual_seed(seed)
        return module(probe.clone()).float()


def _tried(module: nn.Module, probe: Tensor, built: Tensor, *, seed: int = 0) -> tuple[float, Exception | None]:
    try:
        return _apart(_logits(module, probe, seed=seed), built), None
    # A person's own network can raise anything.
    except Exception as error:
        return float("inf"), error


def _apart(found: Tensor, built: Tensor) -> float:
    """The largest difference as a share of the largest logit."""
    if found.shape != built.shape:
        return float("inf")
    largest = float(built.abs().max())
    return float((found - built).abs().max()) / largest if largest else float((found - built).abs().max())


def _set_inplace(parts: Sequence[nn.Module], on: bool) -> None:
    for part in parts:
        part.inplace = on  # pyright: ignore


def _plain(module: nn.Module) -> None:
    """Hand the network its pixels in plain order of memory from now on."""
    module.get_submodule("normalize").plain = True  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]


def _order(module: nn.Module, on: bool) -> None:
    order = torch.channels_last if on else torch.contiguous_format
    module.to(memory_format=order)  # pyright: ignore[reportCallIssue]
