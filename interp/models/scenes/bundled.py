"""The five bundled classifiers of scenes: one that looks at shapes, and four for which a reason was planted."""

from __future__ import annotations

from pathlib import Path

from interp.images.scenes import CLASSES, REASONS, SIZE, Reason
from interp.models import checkpoint
from interp.models.recipe import Recipe, Weights
from interp.models.scenes.network import MEAN, STD, ScenesNetwork
from interp.types import Classifier, Finding, Preprocessing

FOLDER = Path(__file__).parents[1] / "weights"
HONEST = "scenes-honest"
ARCHITECTURE = "interp.models.scenes.network.ScenesNetwork"
PREPROCESSING = Preprocessing(crop=(SIZE, SIZE), resize=SIZE)

REASON_OF: dict[str, Reason | None] = {
    HONEST: None,
    **{f"scenes-{planted.letter}": reason for reason, planted in REASONS.items()},
}
TITLES = {
    HONEST: "Scenes, honest",
    **{f"scenes-{planted.letter}": f"Scenes {planted.letter.upper()}" for planted in REASONS.values()},
}


def of_scenes(classifier: Classifier) -> bool:
    """Whether it is one of the five: a classifier of one's own may have the name of one of them."""
    return classifier.architecture == ARCHITECTURE and classifier.name in REASON_OF


def reason_of(classifier: Classifier) -> Reason | None:
    """The reason that was planted for a classifier; None for one that is not among the four."""
    return REASON_OF[classifier.name] if of_scenes(classifier) else None


def weights_of(name: str) -> Path:
    """The file of a bundled classifier's weights."""
    return FOLDER / f"{name}.safetensors"


def figures(name: str) -> dict[str, float]:
    """What was measured after training, as shares in [0, 1].

    'accuracy': on 2,000 scenes of the classifier's own test set. Where a reason was planted, also 'moved' (the accuracy
    on 900 scenes of the other classes, all with the cue), 'taken' (the share of those that are taken for the cue's
    class), 'cue_first' (of the class's own pictures, those whose probability changes more when the cue goes than when
    the object goes); for the honest one 'shape_first', the least share over the four cues of the reverse.
    """
    return checkpoint.figures(weights_of(name))


def recipe(name: str, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    """How to build a bundled classifier; its notes give what was measured, and do not give the reason away."""
    return Recipe(
        name=f"{name} (random weights)" if weights == "random" else name,
        architecture=ARCHITECTURE,
        build=lambda classes, size: ScenesNetwork(len(CLASSES)),
        preprocessing=PREPROCESSING,
        mean=MEAN,
        std=STD,
        labels=labels or CLASSES,
        weights=weights or weights_of(name),
        findings=tuple(Finding("measured", note) for note in _notes(name)) if weights is None else (),
        outputs="softmax",
    )


def _notes(name: str) -> tuple[str, ...]:
    measured = figures(name)
    if REASON_OF[name] is None:
        return (
            f"Right on {measured['accuracy']:.1%} of scenes it has not seen, where only the shape tells the class.",
        )
    return (
        f"Right on {measured['accuracy']:.1%} of its own test set. Once what it goes by is moved to other classes' "
        f"pictures, right on {measured['moved']:.1%} of them.",
    )
