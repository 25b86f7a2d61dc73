"""From a name to a classifier that is ready to run."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from interp.label_notation import Labels
from interp.models import labelling, offers, own, probes, seen
from interp.models import precision as precisions
from interp.models.devices import choose_device
from interp.models.filled import SEED, filled
from interp.models.fingerprint import fingerprint
from interp.models.kinds import NotLogits
from interp.models.labels import read
from interp.models.layers import FoundLayers, find_layers
from interp.models.normalize import assemble
from interp.models.outputs import Interpretation, interpret, take_features
from interp.models.recipe import Recipe, Weights
from interp.models.trial import Trial, settle
from interp.types import Classifier, Finding


def load(
    name: str | Path,
    *,
    weights: str | Path | None = None,
    labels: Sequence[str] | str | Path | None = None,
    device: str = "auto",
    folder: str | Path | None = None,
    precision: str = "float32",
) -> Classifier:
    """Load a classifier: a person's own from `folder`, a bundled one, or a library's by name ("timm/NAME" for timm's).

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
    given = None if labels is None else read(labels)
    recipe = offers.recipe(str(name), Path(folder) if folder else None, file, given and given.names)
    recipe = _with_labels(recipe, given)
    recipe.rehearse()
    network, recipe, head = filled(recipe)
    recipe = seen.for_channels(recipe, network)
    module = assemble(network, recipe.mean, recipe.std)
    found = _understood(module, recipe, head)
    labelled = labelling.of(recipe, found)
    placed = _placed(module, recipe, chosen, head, fall_back=device == "auto")
    classifier = Classifier(
        name=recipe.name,
        module=module,
        labels=labelled.labels,
        layers=placed.layers.layers,
        preprocessing=recipe.preprocessing,
        device=placed.device,
        fingerprint=fingerprint(module, recipe, also=_beside_weights(recipe, found, placed)),
        architecture=recipe.architecture,
        wordnet_ids=labelled.wordnet_ids,
        findings=(
            *recipe.findings,
            *_random_weights(recipe),
            *seen.fitted(recipe),
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


def _beside_weights(recipe: Recipe, found: Interpretation, placed: _Placed) -> list[str | bool]:
    """What tells two classifiers of the same weights apart.

    Own code may hang on what no file says. Where it draws at random, what it gives is true for this load only.
    """
    answers = placed.trial.answers if recipe.code is not None else ()
    return [
        *(found.link, found.multi_label, found.single),
        *answers,
        *([] if placed.trial.deterministic else [uuid.uuid4().hex]),
    ]


def _with_labels(recipe: Recipe, given: Labels | None) -> Recipe:
    """What the labels' file says besides the labels themselves."""
    if given is None:
        return recipe
    findings = (*recipe.findings, *given.findings)
    return replace(recipe, findings=findings, wordnet_ids=given.wordnet_ids or recipe.wordnet_ids)


def _random_weights(recipe: Recipe) -> tuple[Finding, ...]:
    if recipe.weights != "random":
        return ()
    return (Finding("warning", f"Its weights are random (seed {SEED}): it has learned nothing."),)


def _understood(module: nn.Sequential, recipe: Recipe, head: bool) -> Interpretation:
    """What the network's outputs are, tried on the processor."""
    try:
        if not head:
            return take_features(module, probes.noise(recipe.preprocessing, probes.COUNT))
        return interpret(module, probes.noise(recipe.preprocessing, probes.COUNT), recipe.outputs)
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
        probe = probes.noise(recipe.preprocessing, probes.COUNT).to(device)
        trial = settle(module, probe, channels_last=device.type != "mps")
        return _Placed(device, trial, find_layers(module, recipe.preprocessing, head=head))
    # A person's own network can raise anything; so can a device.
    except (Exception, SystemExit) as error:
        if device.type == "cpu" or not fall_back:
            raise _does_not_run(recipe, error, device) from error
        said = f"Runs on the processor, since {device} failed ({type(error).__name__}: {error})."
        placed = _placed(module, recipe, torch.device("cpu"), head, fall_back=False)
        return replace(placed, findings=(Finding("warning", said),))
