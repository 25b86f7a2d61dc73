"""The masks of one picture in a concept data set, read when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int
from PIL import Image

from interp.images.annotation import Annotation, Marking
from interp.images.concept import Concept, PictureConcepts
from interp.images.concept_folders.codes import Coding, numbers
from interp.images.concept_folders.names import is_none
from interp.images.decoding import DecodedImage
from interp.images.files import PictureFile

VOID = 255
"""In masks of 8 bits without a name of its own: between things, or not looked at."""


@dataclass(frozen=True, eq=False)
class ConceptLayer:
    """One category of a concept data set: how its masks code numbers, and what these are called.

    Without `names` concepts are called by their numbers. `unlabelled` numbers say that nothing is known of a pixel.
    With `stretched` masks of any size are enlarged or reduced to the picture, else only those of its proportions.
    """

    category: str
    coding: Coding
    names: Mapping[int, str] | None = None
    unlabelled: frozenset[int] = frozenset({0})
    stretched: bool = False

    def name(self, number: int) -> str | None:
        """What a number stands for; None where for nothing, or where it has no name."""
        if number in self.unlabelled:
            return None
        if self.names is None:
            return None if number == VOID else f"number {number}"
        name = self.names.get(number)
        return None if name is None or is_none(name) else name

    def unnamed(self, number: int) -> bool:
        """Whether a number should have a name, and has none."""
        known = self.names is None or number in self.names
        return not known and number not in self.unlabelled and number != VOID


@dataclass(frozen=True, eq=False)
class ConceptMasks:
    """The masks of one picture with their categories, and what is said of the picture as a whole.

    `missing` are categories one of whose masks is not there, so that it is not known what of them is in the picture.
    """

    masks: tuple[tuple[ConceptLayer, PictureFile], ...] = ()
    whole: tuple[tuple[str, str], ...] = ()
    missing: frozenset[str] = field(default=frozenset())

    def read(self, picture: DecodedImage) -> PictureConcepts:
        """The concepts with their masks, in the coordinates of the upright picture.

        Of a category of which a mask cannot be read nothing is known, and a remark says why.
        """
        found: list[Concept] = []
        remarks, failed = [], set(self.missing)
        width, height = picture.image.size
        for category, name in self.whole:
            found.append(Concept(category, name, np.ones((height, width), bool)))
        for layer, file in self.masks:
            try:
                laid = self.laid(layer, file, picture.stored_size, picture.orientation)
            except ValueError as error:
                failed.add(layer.category)
                remarks.append(f"What of the category '{layer.category}' is in it is not known: {error}")
                continue
            for number in np.unique(laid).tolist():
                name = layer.name(number)
                if name is not None:
                    found.append(Concept(layer.category, name, laid == number))
        categories = [category for category, _ in self.whole] + [layer.category for layer, _ in self.masks]
        known = tuple(one for one in dict.fromkeys(categories) if one not in failed)
        return PictureConcepts(tuple(one for one in found if one.category in known), known, tuple(remarks))

    @staticmethod
    def laid(
        layer: ConceptLayer, file: PictureFile, stored: tuple[int, int], orientation: int
    ) -> Int[np.ndarray, "rows columns"]:
        """The numbers in a mask, laid over a picture of that size (width, height) as stored, and that orientation.

        Each pixel has the number of the mask's pixel in which its centre lies. Raises `ValueError` where the mask
        cannot be read, or its size fits the picture in no way.
        """
        read = numbers(file.path, file.stamp, layer.coding)
        marking = Marking(Annotation(()), stored, orientation)
        if layer.stretched and marking.misfit_of((read.shape[1], read.shape[0]), "") is not None:
            resized = Image.fromarray(read).resize(stored, Image.Resampling.NEAREST)
            read = np.asarray(resized)
        return marking.laid(read)
