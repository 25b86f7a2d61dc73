"""Which of a file's tensors are the network's: the path and prefix that most names share is dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from torch import nn

from interp.models import heads
from interp.models.heads import Shapes
from interp.types import Finding

# What wraps a network or a part of it, and may stand anywhere in a name.
WRAPPINGS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
# Names that mark weights other than those which were trained, in the order in which they are taken.
COPIES = re.compile(r"ema|averag|swa|teacher|shadow|target|encoder_k|momentum", re.IGNORECASE)
STATES = re.compile(r"optim|grad|sched", re.IGNORECASE)
HEADS = re.compile(r"head|classifier|fc|linear|logits", re.IGNORECASE)
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
# Buffers that counters of operations and older versions leave behind, and that no result depends on.
COUNTERS = ("num_batches_tracked", "total_ops", "total_params", "n_averaged", "position_ids", "relative_position_index")
DEEPEST = 24
SHOWN = 3
GROUPS = 8


@dataclass(frozen=True)
class TensorMatch:
    """The tensors of a file that are a network's.

    `file_names` has the file's name for each of the network's that was found, and `shapes` the shape for each name
    among the network's own parts, in its words. `unexpected` are those of these names that the network lacks, and
    `findings` say what was chosen and what left out.
    """

    file_names: Mapping[str, str]
    shapes: Shapes
    unexpected: tuple[str, ...]
    findings: tuple[Finding, ...]


def match(claimed: Shapes, network: nn.Module, rename: Callable[[str], str], key: str | None) -> TensorMatch:
    """Find a network's tensors among a file's. Raises `ValueError` for a key that the file does not have."""
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    inner = _within(claimed, key)
    names = _Names(inner, expected, rename)
    ranked = names.ranked()
    wrapper = _shared(expected)
    if not ranked and wrapper:
        names = _Names(inner, expected, lambda name: f"{wrapper}.{rename(name)}")
        ranked = names.ranked()
    prefix = ranked[0] if ranked else _shared(names.plain.values())
    own = names.under(prefix)
    head, head_found = _head_apart(network, names, own, prefix)
    own |= head
    parts = {name.partition(".")[0] for name in expected}
    strange = [name for name in own if name not in expected and _is_inside(name, parts)]
    file_names = {name: own[name] for name in own if name in expected}
    used = {*file_names.values(), *(own[name] for name in strange)}
    others = [prefix for prefix in ranked[1:] if prefix]
    left = [name for name, plain in names.plain.items() if not any(_is_in(plain, prefix) for prefix in others)]
    return TensorMatch(
        file_names=file_names,
        shapes={name: inner[own[name]] for name in (*file_names, *strange)},
        unexpected=tuple(strange),
        findings=(*(_choice(ranked) if key is None else ()), *head_found, *_left_out(left, used)),
    )


class _Names:
    """A file's names beside a network's: `plain` are the file's without wrappings."""

    def __init__(self, claimed: Shapes, expected: Shapes, rename: Callable[[str], str]) -> None:
        self.claimed, self.expected, self.rename = claimed, expected, rename
        # The network may itself have a part that is called so.
        wrappings = WRAPPINGS - {part for name in expected for part in name.split(".")}
        self.plain = {name: _unwrapped(name, wrappings) for name in claimed}

    def under(self, prefix: str) -> dict[str, str]:
        """The file's name for each name behind a prefix, in the network's words."""
        found: dict[str, str] = {}
        for name, short in self.plain.items():
            if not prefix or short.startswith(f"{prefix}."):
                found.setdefault(self.rename(short.removeprefix(f"{prefix}.") if prefix else short), name)
        return found

    def ranked(self) -> list[str]:
        """The prefixes behind which most of the network's tensors stand: equally many names, of equally many shapes.

        Weights as trained come before averages and copies of them, and each in the order of the file.
        """
        votes: Counter[str] = Counter()
        for name in self.plain.values():
            parts = name.split(".", DEEPEST)
            for cut in range(len(parts)):
                rest = self.rename(".".join(parts[cut:]))
                # Counters may be missing, so that they do not vote.
                if rest in self.expected and not rest.endswith(COUNTERS):
                    votes[".".join(parts[:cut])] += 1
        most = max(votes.values(), default=0)
        fitting = {prefix: self._fitting(prefix) for prefix, count in votes.items() if count == most}
        best = max(fitting.values(), default=0)
        return sorted((prefix for prefix, count in fitting.items() if count == best), key=_rank)

    def _fitting(self, prefix: str) -> int:
        found = [(name, self.claimed[theirs]) for name, theirs in self.under(prefix).items()]
        return sum(self.expected.get(name) == shape for name, shape in found if not name.endswith(COUNTERS))


def _head_apart(
    network: nn.Module, names: _Names, own: Mapping[str, str], prefix: str
) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """The head of a file that has it beside the rest ("backbone.conv1", "classifier"), under the network's names.

    It is the one part beside the rest that takes what the network's head takes, or the one of them that is called so.
    """
    place = heads.absent(network, own)
    if place is None:
        return {}, ()
    width = heads.width_to(network.get_submodule(place))
    around = prefix.rpartition(".")[0]
    parts: dict[str, dict[str, str]] = {}
    for name, short in names.plain.items():
        first, _, rest = short.removeprefix(f"{around}." if around else "").partition(".")
        if (_is_in(short, around) or not around) and rest and name not in own.values():
            parts.setdefault(first, {})[rest] = name
    fitting = []
    for part, inner in parts.items():
        shapes = {f"{part}.{rest}": names.claimed[name] for rest, name in inner.items()}
        first = next(iter(heads.layers_in(shapes, part).values()), {}).get("weight", ())
        if first and first[min(1, len(first) - 1)] == width and heads.last_width(shapes, part):
            fitting.append(part)
    called = [part for part in fitting if HEADS.search(part)]
    chosen = fitting if len(fitting) == 1 else called
    if len(chosen) != 1:
        return {}, ()
    text = f"The file has its head apart from the rest: {_short(chosen[0])} is taken for {place}."
    return {f"{place}.{rest}": name for rest, name in parts[chosen[0]].items()}, (
        Finding("guessed", text, heads.OWN_CODE),
    )


def _rank(prefix: str) -> int:
    return 2 if STATES.search(prefix) else 1 if COPIES.search(prefix) else 0


def _shared(names: Iterable[str]) -> str:
    """The first parts that all names have in common, without the last part of any."""
    split = [name.split(".")[:-1] for name in names]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


def _within(claimed: Shapes, key: str | None) -> Shapes:
    """The tensors under a key: a dotted path in the file, or the beginning of names."""
    if key is None:
        return claimed
    inner = {
        name: shape for name, shape in claimed.items() if _is_in(name, key) or _is_in(_unwrapped(name, WRAPPINGS), key)
    }
    if not inner:
        offered = _counted(name.partition(".")[0] for name in claimed)
        raise ValueError(f"It has no weights under the key {_short(key)!r}. It has: {offered}.")
    return inner


def _counted(groups: Iterable[str]) -> str:
    """Parts of a file, each with its number of tensors, the largest first."""
    counts = Counter(groups)
    shown = [
        f"{_short(name)} ({count} {'tensor' if count == 1 else 'tensors'})"
        for name, count in counts.most_common(GROUPS)
    ]
    return ", ".join(shown + ([f"{len(counts) - GROUPS} more"] if len(counts) > GROUPS else []))


def _unwrapped(name: str, wrappings: Set[str]) -> str:
    if not any(wrapping in name for wrapping in wrappings):
        return name
    return ".".join(part for part in name.split(".") if part not in wrappings)


def _is_inside(name: str, parts: set[str]) -> bool:
    """Whether a tensor that the network lacks belongs to one of its parts, so that the network is another."""
    if name.startswith(AUXILIARY) or name.endswith(COUNTERS):
        return False
    first = name.partition(".")[0]
    return first in parts or (first.isdecimal() and any(part.isdecimal() for part in parts))


def _choice(ranked: Sequence[str]) -> tuple[Finding, ...]:
    """What is said of several sets of weights that fit alike."""
    if len(ranked) < 2:
        return ()
    named = [_short(prefix) or "the top level" for prefix in ranked]
    others = ", ".join(named[1 : 1 + SHOWN]) + (", ..." if len(named) > 1 + SHOWN else "")
    text = f"The file holds {len(ranked)} sets of weights that fit: {named[0]} is taken, and not {others}."
    return (Finding("guessed", text, f'key = "{_short(ranked[1])}"' if ranked[1] else None),)


def _left_out(names: Sequence[str], used: Set[str]) -> tuple[Finding, ...]:
    """What is said of tensors that the network has no place for, by the first part that is not the used ones' path."""
    left = [name for name in names if name not in used and not name.endswith("num_batches_tracked")]
    if not left:
        return ()
    path = _shared(used).split(".")
    groups = []
    for name in left:
        parts = name.split(".")
        common = next((i for i, (one, other) in enumerate(zip(parts, path, strict=False)) if one != other), len(path))
        groups.append(".".join(parts[: common + 1]))
    return (Finding("left out", f"The network has no place for these parts of the file: {_counted(groups)}."),)


def _is_in(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:77]}..."
