"""The classifiers that there are by name: bundled ones, a person's own, and those of libraries."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from interp.models import own, torchvision_models
from interp.models.recipe import Recipe, Weights
from interp.models.scenes import bundled

DIGITS = "digits"


@dataclass(frozen=True)
class Offer:
    """A classifier that can be loaded by `name`; `note` says what the chooser should know, such as a problem."""

    name: str
    title: str
    group: Literal["bundled", "own", "torchvision"]
    note: str = ""


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


def folder_problem(folder: str | Path | None) -> str | None:
    """What hinders that the classifiers of a models folder are offered, None where nothing does."""
    return own.listing(Path(folder)).problem if folder else None


def stamps(name: str, folder: Path | None) -> tuple[tuple[str, int, int, int], ...]:
    """What tells whether a classifier of a models folder has changed: its files, each with its times and size.

    Never raises; empty for a name that means no file of the folder.
    """
    return own.stamps(name, folder, _is_built_in)


def _own_offer(path: Path, folder: Path) -> Offer:
    name = own.name_of(path, folder)
    try:
        return Offer(name, own.title(path) or name, "own")
    except (ValueError, OSError) as error:
        return Offer(name, name, "own", str(error))


def recipe(name: str, folder: Path | None, weights: Weights | None, labels: tuple[str, ...] | None) -> Recipe:
    """How to build the classifier of that name: of the folder, bundled, or of a library. Raises `ValueError`."""
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
