"""From a name to a classifier that is ready to run."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from interp.models import labelling, own, probes, torchvision_models
from interp.models import precision as precisions
from interp.models.devices import choose_device
from interp.models.filled import SEED, filled
from interp.models.fingerprint import fingerprint
from interp.models.kinds import NotLogits
from interp.models.labels import read_labels
from interp.models.layers import FoundLayers, find_layers
from interp.models.normalize import assemble
from interp.models.outputs import Interpretation, interpret, take_features
from interp.models.recipe import Recipe, Weights
from interp.models.scenes import bundled
from interp.models.trial import Trial, settle
from interp.types import Classifier, Finding

DIGITS = "digits"
PROBES = 2


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
    recipe.rehearse()
    network, recipe, head = filled(recipe)
    recipe = _for_channels(recipe, network)
    module = assemble(network, recipe.mean, recipe.std)
    found = _understood(module, recipe, head)
    labelled = labelling.of(recipe, found)
    placed = _placed(module, recipe, chosen, head, fall_back=device == "auto")
    # What it gives is true for this load only, where it draws at random.
    told_apart = [found.link, found.multi_label, found.single]
    told_apart += [] if placed.trial.deterministic else [uuid.uuid4().hex]
    classifier = Classifier(
        name=recipe.name,
        module=module,
        labels=labelled.labels,
        layers=placed.layers.layers,
        preprocessing=recipe.preprocessing,
        device=placed.device,
        fingerprint=fingerprint(module, recipe, also=told_apart),
        architecture=recipe.architecture,
        wordnet_ids=labelled.wordnet_ids,
        findings=(
            *recipe.findings,
            *_random_weights(recipe),
            *_fitted(recipe),
            *found.findings,
            *labelled.findings,
            *placed.findings,
            *placed.trial.findings,
            *placed.layers.findings,
        ),
        default_layer=_default_layer(recipe, placed.layers),
        outputs=found.outputs,
        link=found.link,
        multi_label=found.multi_label,
        deterministic=placed.trial.deterministic,
    )
    return precisions.chosen(classifier) if precision == "bfloat16" else classifier


def available(folder: str | Path | None = None) -> tuple[Offer, ...]:
    """What a picker offers: the bundled classifiers, the folder's own (a broken one with its problem), torchvision's.

    Never raises: a folder that cannot be read offers nothing, and `folder_problem` says why.
    """
    owned = [_own_offer(path, Path(folder)) for path in own.listing(Path(folder)).paths] if folder else []
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


def _random_weights(recipe: Recipe) -> tuple[Finding, ...]:
    if recipe.weights != "random":
        return ()
    return (Finding("warning", f"Its weights are random (seed {SEED}): it has learned nothing."),)


def folder_problem(folder: str | Path | None) -> str | None:
    """What hinders that the classifiers of a models folder are offered, None where nothing does."""
    return own.listing(Path(folder)).problem if folder else None


def stamps(name: str, folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """What tells whether a classifier of a models folder has changed: its files, each with its time and size.

    Never raises; empty for a name that means no file of the folder.
    """
    return own.stamps(name, folder, _is_built_in)


def _own_offer(path: Path, folder: Path) -> Offer:
    name = own.name_of(path, folder)
    try:
        return Offer(name, own.title(path) or name, "own")
    except (ValueError, OSError) as error:
        return Offer(name, name, "own", str(error))


def _recipe(name: str, folder: Path | None, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    path = own.find(name, folder, taken=_is_built_in)
    if path is not None:
        return own.recipe(path, weights, labels, folder)
    if name == DIGITS:
        # Imported here, so that `python -m interp.models.digits` runs the module once.
        from interp.models import digits

        return digits.recipe(weights, labels)
    if name in bundled.REASON_OF:
        return bundled.recipe(name, weights, labels)
    if name in torchvision_models.names():
        return torchvision_models.recipe(name, weights, labels)
    library, _, architecture = name.partition("/")
    if library in own.LIBRARIES and folder is None:
        return own.LIBRARIES[library](architecture, weights, labels)
    owned = [own.name_of(file, folder) for file in own.listing(folder).paths] if folder else []
    near = difflib.get_close_matches(name, [*bundled.REASON_OF, DIGITS, *owned, *torchvision_models.names()], 3)
    meant = (
        f"Did you mean {', '.join(near)}?" if near else 'Give "scenes-honest", a model of torchvision, or a TOML file.'
    )
    raise ValueError(f"There is no classifier {name!r}. {meant}")


def _is_built_in(name: str) -> bool:
    return name == DIGITS or name in bundled.REASON_OF or name in torchvision_models.names()


def _for_channels(recipe: Recipe, network: nn.Module) -> Recipe:
    """The recipe for pictures in colour or in grey, whichever the network's first convolution takes."""
    takes = recipe.channels or _taken(recipe, network)
    said: list[Finding] = []
    mean, std = recipe.mean, recipe.std
    if takes == 1:
        said.append(Finding("recognized" if recipe.channels else "guessed", _GREY, "channels = 1"))
        if len(mean) == 3:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
            if set(recipe.mean) != {0.0} or set(recipe.std) != {1.0}:
                text = "Grey is normalized with the average of the three colours' mean and std."
                said.append(Finding("guessed", text, f"mean = [{mean[0]:.4g}]  and  std = [{std[0]:.4g}]"))
    elif len(mean) == 1:
        mean, std = mean * 3, std * 3
        said.append(Finding("guessed", "One mean and one std were given: they are taken for all three colours."))
    preprocessing = replace(recipe.preprocessing, channels=takes)
    return replace(
        recipe, mean=mean, std=std, preprocessing=preprocessing, channels=takes, findings=(*recipe.findings, *said)
    )


def _taken(recipe: Recipe, network: nn.Module) -> int:
    """How many channels the network takes: what its first convolution says, or else what it runs on."""
    first = next((part.in_channels for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    if first in (1, 3):
        return first
    usual = len(recipe.mean)
    for channels in (usual, 4 - usual):
        probe = probes.noise(replace(recipe.preprocessing, channels=channels), PROBES)
        try:
            with torch.no_grad():
                network.eval()(probe)
            return channels
        # A person's own network can raise anything, and end the process.
        except (Exception, SystemExit):
            continue
    if first is not None:
        raise ValueError(
            f"{recipe.name}: its first convolution takes {first} channels, and a picture has three (RGB) or one "
            "(grey): give a network for pictures."
        )
    return usual


_GREY = "It sees pictures in grey: 0.299 red + 0.587 green + 0.114 blue."


def _fitted(recipe: Recipe) -> tuple[Finding, ...]:
    """How a picture is fitted and normalized."""
    said = f"A picture is {recipe.preprocessing.description}."
    fitted = Finding("recognized", said, "input_size = 224  and  resize = 256")
    if set(recipe.mean) == {0.0} and set(recipe.std) == {1.0}:
        plain = "Its pixels go in as numbers from 0 to 1, for no mean and std were given."
        return fitted, Finding("guessed", plain, "mean = [0.485, 0.456, 0.406]  and  std = [0.229, 0.224, 0.225]")
    mean, std = (", ".join(f"{one:.4g}" for one in numbers) for numbers in (recipe.mean, recipe.std))
    return fitted, Finding(
        "recognized", f"Then mean {mean} is taken off its pixels (0 to 1), and std {std} divides them."
    )


def _understood(module: nn.Sequential, recipe: Recipe, head: bool) -> Interpretation:
    """What the network's outputs are, tried on the processor."""
    try:
        if not head:
            return take_features(module, probes.noise(recipe.preprocessing, PROBES))
        return interpret(module, probes.noise(recipe.preprocessing, PROBES), recipe.outputs)
    except NotLogits as error:
        raise ValueError(f"{_place(recipe, error)}: {error}") from error
    # A person's own network can raise anything, and end the process.
    except (Exception, SystemExit) as error:
        raise _does_not_run(recipe, error, torch.device("cpu")) from error


def _does_not_run(recipe: Recipe, error: BaseException, device: torch.device) -> ValueError:
    size = " × ".join(map(str, recipe.preprocessing.crop))
    colours = "grey" if recipe.channels == 1 else "RGB"
    return ValueError(
        f"{_place(recipe, error)}: it does not run on {colours} images of {size} pixels on {device} "
        f"({type(error).__name__}: {error}). Check the input size and the network's forward method."
    )


def _place(recipe: Recipe, error: BaseException) -> str:
    return own.where(recipe.code, error) if recipe.code and isinstance(error, Exception) else recipe.name


def _default_layer(recipe: Recipe, found: FoundLayers) -> str | None:
    if recipe.layer is None:
        return found.default
    mapped = [layer.name for layer in found.layers if layer.height * layer.width > 1]
    if recipe.layer not in mapped:
        near = difflib.get_close_matches(recipe.layer, mapped, 3) or mapped[-3:]
        raise ValueError(
            f"{recipe.name} has no layer {recipe.layer!r} with a map: layer = must name one, such as {', '.join(near)}."
        )
    return recipe.layer


@dataclass(frozen=True)
class _Placed:
    """Where the network runs, how it differs from how it was built, and its layers."""

    device: torch.device
    trial: Trial
    layers: FoundLayers
    findings: tuple[Finding, ...] = ()


def _placed(module: nn.Module, recipe: Recipe, device: torch.device, head: bool, *, fall_back: bool) -> _Placed:
    """Move the module to the device, and try it there; where that fails and may, the processor takes over."""
    try:
        module.to(device)
        probe = probes.noise(recipe.preprocessing, PROBES).to(device)
        trial = settle(module, probe, channels_last=device.type != "mps")
        return _Placed(device, trial, find_layers(module, recipe.preprocessing, head=head))
    # A person's own network can raise anything; so can a device.
    except (Exception, SystemExit) as error:
        if device.type == "cpu" or not fall_back:
            raise _does_not_run(recipe, error, device) from error
        said = f"Runs on the processor, since {device} failed ({type(error).__name__}: {error})."
        placed = _placed(module, recipe, torch.device("cpu"), head, fall_back=False)
        return replace(placed, findings=(Finding("warning", said),))
