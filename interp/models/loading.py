"""From a name to a classifier that is ready to run."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from interp.models import checkpoint, own, torchvision_models
from interp.models import precision as precisions
from interp.models.devices import choose_device
from interp.models.fingerprint import fingerprint
from interp.models.labels import read_labels
from interp.models.layers import FoundLayers, find_layers
from interp.models.normalize import assemble
from interp.models.recipe import Recipe, Weights
from interp.models.scenes import bundled
from interp.types import Classifier

SEED = 0
DIGITS = "digits"


@dataclass(frozen=True)
class Offer:
    """A classifier that can be loaded by `name`; `note` says what the chooser should know, such as a problem."""

    name: str
    title: str
    group: Literal["bundled", "own", "torchvision"]
    note: str = ""


def load(
    name: str | Path,
    *,
    weights: str | Path | None = None,
    labels: Sequence[str] | str | Path | None = None,
    device: str = "auto",
    folder: str | Path | None = None,
    precision: str = "float32",
) -> Classifier:
    """Load a classifier: a person's own from `folder`, a bundled one, or one of torchvision's by name.

    Bundled are "scenes-honest", "scenes-a" to "scenes-d" (for each of which a reason was planted), and "digits".

    `weights` is a file (safetensors, or a state dict), "random" for a seeded initialization, or None for those that
    the name stands for: torchvision's published ones are downloaded on first use. `labels` is a list or a file, one
    for each output. `precision` "bfloat16" takes effect only where its results agree with float32's; `.notes` says so.
    Raises `ValueError` or `FileNotFoundError` that names the value, or the file, and what would be right.
    """
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f'There is no precision {precision!r}: give "float32" or "bfloat16".')
    chosen = choose_device(device)
    file: Weights | None = "random" if weights == "random" else None if weights is None else Path(weights)
    recipe = _recipe(str(name), Path(folder) if folder else None, file, None if labels is None else read_labels(labels))
    module = assemble(_network(recipe), recipe.mean, recipe.std)
    digest = fingerprint(module, recipe)
    found, chosen, notes = _placed(module, recipe, chosen, fall_back=device == "auto")
    if found.outputs != len(recipe.labels):
        raise ValueError(
            f"{recipe.name} has {found.outputs} outputs, and {len(recipe.labels)} labels were given: give one for each."
        )
    classifier = Classifier(
        name=recipe.name,
        module=module,
        labels=recipe.labels,
        layers=found.layers,
        preprocessing=recipe.preprocessing,
        device=chosen,
        fingerprint=digest,
        architecture=recipe.architecture,
        wordnet_ids=recipe.wordnet_ids,
        notes=(*recipe.notes, *_random_note(recipe), *notes, *found.notes),
        default_layer=found.default,
    )
    return precisions.chosen(classifier) if precision == "bfloat16" else classifier


def available(folder: str | Path | None = None) -> tuple[Offer, ...]:
    """What a picker offers: the bundled classifiers, the folder's own (a broken one with its problem), torchvision's.

    Raises `FileNotFoundError` where there is no such folder.
    """
    owned = [_own_offer(path) for path in own.files(Path(folder))] if folder else []
    names = {offer.name for offer in owned}
    drawn = [Offer(name, title, "bundled") for name, title in bundled.TITLES.items()]
    built_in = [*drawn, Offer(DIGITS, "Handwritten digits", "bundled")]
    published = [
        Offer(name, name, "torchvision", torchvision_models.size_note(name)) for name in torchvision_models.names()
    ]
    return (
        *(one for one in built_in if one.name not in names),
        *owned,
        *(one for one in published if one.name not in names),
    )


def _random_note(recipe: Recipe) -> tuple[str, ...]:
    return (f"Its weights are random (seed {SEED}): it has learned nothing.",) if recipe.weights == "random" else ()


def _own_offer(path: Path) -> Offer:
    try:
        return Offer(path.stem, own.title(path), "own")
    except (ValueError, OSError) as error:
        return Offer(path.stem, path.stem, "own", str(error))


def _recipe(name: str, folder: Path | None, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    path = own.find(name, folder)
    if path is not None:
        return own.recipe(path, weights, labels)
    if name == DIGITS:
        # Imported here, so that `python -m interp.models.digits` runs the module once.
        from interp.models import digits

        return digits.recipe(weights, labels)
    if name in bundled.REASON_OF:
        return bundled.recipe(name, weights, labels)
    if name in torchvision_models.names():
        return torchvision_models.recipe(name, weights, labels)
    owned = [file.stem for file in own.files(folder)] if folder else []
    near = difflib.get_close_matches(name, [*bundled.REASON_OF, DIGITS, *owned, *torchvision_models.names()], 3)
    meant = (
        f"Did you mean {', '.join(near)}?" if near else 'Give "scenes-honest", a model of torchvision, or a TOML file.'
    )
    raise ValueError(f"There is no classifier {name!r}. {meant}")


def _network(recipe: Recipe) -> nn.Module:
    if recipe.weights == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return recipe.build()
    path = recipe.weights
    if path is None:
        if recipe.published is None:
            raise ValueError(f"{recipe.name} has no published weights: give a file of weights.")
        path = recipe.published()
    network = _unfilled(recipe)
    checkpoint.fill(network, path, recipe.rename)
    return network


def _unfilled(recipe: Recipe) -> nn.Module:
    """The network without weights, on the meta device where it can be built there."""
    if not recipe.on_meta:
        return recipe.build()
    try:
        with torch.device("meta"):
            return recipe.build()
    except NotImplementedError:
        # RegNet computes its widths with tensors, which the meta device cannot.
        return recipe.build()


def _placed(
    module: nn.Module, recipe: Recipe, device: torch.device, *, fall_back: bool
) -> tuple[FoundLayers, torch.device, tuple[str, ...]]:
    """Move the module to the device, and run it there once; where that fails and may, the processor takes over."""
    try:
        module.to(device)
        if device.type != "mps":
            module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return find_layers(module, recipe.preprocessing), device, ()
    # A person's own network can raise anything; so can a device.
    except Exception as error:
        if device.type != "cpu" and fall_back and not isinstance(error, ValueError):
            cpu = torch.device("cpu")
            found, _, _ = _placed(module, recipe, cpu, fall_back=False)
            return found, cpu, (f"Runs on the processor, since {device} failed ({type(error).__name__}: {error}).",)
        place = own.where(recipe.code, error) if recipe.code else recipe.name
        size = " × ".join(map(str, recipe.preprocessing.crop))
        raise ValueError(
            f"{place}: it does not run on one image of {size} pixels on {device} ({type(error).__name__}: {error}). "
            "Check the input size and the network's forward method."
        ) from error
