"""A file of weights: opened, matched with a network, and put into it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from interp.models.checkpoint import described
from interp.models.checkpoint.formats import SAVE
from interp.models.checkpoint.matching import TensorMatch, match
from interp.models.checkpoint.reading import Content, tensors, whole_network, whole_refusal
from interp.models.fitting import Fitted, fitted
from interp.models.heads import Shapes, absent
from interp.models.recipe import same_name
from interp.types import Finding

SHOWN = 3
# What the names in a file tell about where they come from, where they are not the network's.
ORIGINS = (
    (
        r"(.*\.)?0\.0\.weight",
        "Names such as 0.0.weight are those of a Sequential of body and head, as fastai makes it. Describe that "
        'network in own code: architecture = "net.py:build", where build returns it, as '
        "fastai.vision.all.create_vision_model(resnet18, n_out=3, pretrained=False) does.",
    ),
    (
        r"(.*\.)?(blocks\.\d+\.attn\.qkv|conv_stem|stages\.\d+\.blocks|layers\.\d+\.blocks)\..*",
        'Its names are timm\'s: give architecture = "timm/NAME".',
    ),
    (
        r"(\w+\.)?(embeddings?|embedder|encoder\.(layer|stages)\.\d+)\..*",
        "Its names are Hugging Face's: describe that network in own code.",
    ),
    (r"(.*\.)?model\.\d+\.(cv\d|conv|m)\..*", "Its names are those of Ultralytics: describe that network in own code."),
)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A file of weights, of which names and shapes are known and nothing large is read yet.

    `shapes` are those of all its tensors, by their path in the file. `labels` are the classes' names and `outputs` what
    the outputs are, where the file (or a config.json beside it) says so; `findings` tell where these come from.
    """

    path: Path
    content: Content
    key: str | None
    shapes: Shapes
    labels: tuple[str, ...] | None
    outputs: Literal["sigmoid"] | None
    findings: tuple[Finding, ...]

    def match(self, network: nn.Module, rename: Callable[[str], str] = same_name) -> TensorMatch:
        """Which of its tensors are the network's. Raises `ValueError` for a key that it does not have."""
        with self._named():
            return match(self.shapes, network, rename, self.key)

    def fit(self, network: nn.Module, rename: Callable[[str], str] = same_name) -> Fitted:
        """Change a network, in place, to its shapes: number of channels, position embedding, and head.

        Raises `ValueError` for what no network of ours can have, such as four channels.
        """
        with self._named():
            return fitted(network, match(self.shapes, network, rename, self.key).shapes)

    def fill(self, network: nn.Module, rename: Callable[[str], str] = same_name) -> tuple[Finding, ...]:
        """Put the weights into a network, which may be on the meta device, and say what was chosen and left out.

        Raises `ValueError` that names what is missing, unexpected or misshaped.
        """
        matched = self.match(network, rename)
        expected = network.state_dict()
        whole = whole_network(self.content.claimed)
        if whole is not None and not any(name in matched.file_names for name in expected):
            raise whole_refusal(self.path, *whole)
        _compare(self.path, matched, network, tuple(self.shapes))
        read = tensors(self.content.read())
        complete = OrderedDict((name, _fresh_counter(tensor)) for name, tensor in expected.items())
        for name, theirs in matched.file_names.items():
            complete[name] = _finite(self.path, theirs, read[theirs], expected[name].dtype)
        # torch converts old layouts by version; names and shapes are today's already.
        complete._metadata = expected._metadata  # pyright: ignore[reportAttributeAccessIssue]
        network.load_state_dict(complete, assign=True)
        return matched.findings

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors begin with the file's name."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None


def open(path: Path, key: str | None = None) -> Checkpoint:
    """Open a file of weights, whatever its name: safetensors, or what PyTorch has saved, read without running code.

    The tensors may be nested in other things; `key` names the part to take, where the file holds several sets of
    weights ("state_dict_ema"). Raises `ValueError` that says what the file is and what would be right, and
    `FileNotFoundError`.
    """
    content = Content(path)
    try:
        claimed = tensors(content.claimed)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    shapes = {name: tuple(tensor.shape) for name, tensor in claimed.items()}
    network = whole_network(content.claimed)
    if network is not None and not any(len(shape) > 1 for shape in shapes.values()):
        raise whole_refusal(path, *network)
    if not shapes:
        raise ValueError(f"{path} holds no state dict: it must hold a mapping of names to tensors, as {SAVE} makes it.")
    findings = []
    beside = described.config_beside(path)
    labels = outputs = None
    for where, described_by in ((path.name, content.claimed), ("config.json", beside)):
        if labels is None and (found := described.labels(described_by)):
            labels, name = found
            findings.append(Finding("recognized", f"{len(labels)} labels from {name!r} in {where}.", "labels = [...]"))
        if outputs is None and (sigmoid := described.outputs(described_by, shapes)):
            outputs, name = sigmoid
            text = f"Each class has a sigmoid of its own, as {name!r} in {where} says."
            findings.append(Finding("recognized", text, 'outputs = "softmax"'))
    return Checkpoint(path, content, key, shapes, labels, outputs, tuple(findings))


def _fresh_counter(tensor: Tensor) -> Tensor:
    """A zero for batch-norm's counter of batches, which old files lack; anything else stays to be replaced."""
    return torch.zeros((), dtype=tensor.dtype) if tensor.ndim == 0 and tensor.is_meta else tensor


def _compare(path: Path, matched: TensorMatch, network: nn.Module, theirs: Sequence[str]) -> None:
    expected, shapes = network.state_dict(), matched.shapes
    missing = [name for name in expected if name not in shapes and not name.endswith("num_batches_tracked")]
    if missing or matched.unexpected:
        unexpected = matched.unexpected or (theirs if len(missing) > len(expected) / 2 else ())
        raise ValueError(
            f"{path} does not hold the weights of this architecture: {_listed(missing, 'missing')}; "
            f"{_listed(unexpected, 'not expected')}. {_explained(network, matched, theirs)}"
        )
    wrong = [name for name, shape in shapes.items() if shape != tuple(expected[name].shape)]
    if not wrong:
        return
    described = [f"{name} is {list(shapes[name])} instead of {list(expected[name].shape)}" for name in wrong[:SHOWN]]
    only_first = all(shapes[name][1:] == tuple(expected[name].shape)[1:] for name in wrong)
    sizes = {(shapes[name][:1], tuple(expected[name].shape)[:1]) for name in wrong}
    if only_first and len(sizes) == 1 and len(wrong) <= 2 and set(wrong) <= set(list(expected)[-2:]):
        (theirs_first, ours) = sizes.pop()
        remedy = f"The file has {theirs_first[0]} classes, and {ours[0]} are expected: give {theirs_first[0]} labels."
    else:
        remedy = "Was it saved from another architecture, or another variant of it?"
    raise ValueError(
        f"{path} has {len(wrong)} of {len(expected)} tensors in another shape: {'; '.join(described)}. {remedy}"
    )


def _explained(network: nn.Module, matched: TensorMatch, names: Sequence[str]) -> str:
    """What a file may be that has other names than the network."""
    head = absent(network, matched.shapes)
    if head is not None and not matched.unexpected:
        return f"Only the head, {head}, is missing: the file is of a trunk, which gives features and no classes."
    for pattern, sentence in ORIGINS:
        if any(re.fullmatch(pattern, name[:200]) for name in names):
            return sentence
    return "Was it saved from another architecture?"


def _listed(names: Sequence[str], what: str) -> str:
    shown = ", ".join(name[:80] for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return f"{len(names)} tensors are {what}" + (f" ({shown})" if names else "")


def _finite(path: Path, name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """The tensor in the network's own type, and in memory of its own. Refuses values that are not numbers."""
    if tensor.is_complex() or tensor.is_quantized:
        raise ValueError(f"{path} has {name} as {tensor.dtype}, which this network cannot take: save it as float32.")
    try:
        own = tensor.to(dtype, copy=True).contiguous()
    except RuntimeError as error:
        raise ValueError(f"{path} has {name} as {tensor.dtype}, which cannot be converted: {error}.") from None
    if own.is_floating_point() and not own.isfinite().all():
        raise ValueError(
            f"{path} has values in {name} that are not finite numbers: the training that saved it diverged."
        )
    return own
