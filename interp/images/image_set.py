"""An image set: a list of pictures with names, labels and annotations, whose pixels are read when asked for."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from jaxtyping import Bool
from PIL import Image

from interp.images.annotation import Annotation
from interp.images.decoding import Picture
from interp.images.problems import Problem, unique

# The category of the concept that is the picture's object: its mask is the annotation.
OBJECT = "shape"
LABEL_FORMS = ("wnid", "label", "class_index")


@dataclass(frozen=True, eq=False)
class Concept:
    """Something that is known to be seen in a picture, and where: a row of a dissection's truth (Bau et al. 2017).

    `category` is, for the scenes, 'shape', 'part', 'texture', 'colour', 'background', 'distractor' or 'cue'.
    """

    category: str
    name: str
    mask: Bool[np.ndarray, "rows columns"]


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of a set: upright RGB, and what is known about it.

    `mask` is the union of what people marked, in the picture's own coordinates; None where nobody marked anything.
    `concepts` are all that the source knows to be in the picture, each with its mask; few sources know any.
    """

    image: Image.Image
    name: str
    label: str | None = None
    mask: Bool[np.ndarray, "rows columns"] | None = None
    group: str | None = None
    concepts: tuple[Concept, ...] = ()


# Not Sequence[Sample]: a runtime type checker takes a subscripted base for a request to read one of the pictures.
class ImageSet(Sequence):
    """Pictures with their labels, groups and annotations, in a fixed order; `[i]` reads one from its source.

    `fingerprint` is a digest of the content: sets with the same fingerprint give the same samples. `labels` are as
    the source gives them, and `label_forms` holds each form that it gives, by 'wnid' (WordNet id), 'label' (name) and
    'class_index'. Where it gives several labels a picture, `label_sets` has all of each picture's, None where none are
    given, and `labels` the first, or the largest marked; else it is None. `numbers` holds the numeric columns that the
    source gives beside these, nan where there is none. `annotated` holds the positions that have a mask. `concepts`
    gives what is known of the image at a position, the object itself under the category 'shape'. `problems` says what
    was left out.
    `[i]` raises `IndexError` beyond the end, and `UnreadableImage` for a picture that turns out to be unreadable.
    """

    def __init__(
        self,
        *,
        name: str,
        description: str,
        fingerprint: str,
        names: Sequence[str],
        read: Callable[[int], Picture],
        label_forms: Mapping[str, tuple[str | None, ...]] | None = None,
        label_sets: Sequence[frozenset[str] | None] | None = None,
        groups: Sequence[str | None] | None = None,
        annotations: Mapping[int, Annotation] | None = None,
        concepts: Callable[[int], tuple[Concept, ...]] | None = None,
        numbers: Mapping[str, tuple[float, ...]] | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        self.name = name
        self.description = description
        self.fingerprint = fingerprint
        self.names = unique(names)
        self.label_forms = dict(label_forms or {})
        self.labels = self._labels()
        self.label_sets = None if label_sets is None else tuple(label_sets)
        self.groups: tuple[str | None, ...] = tuple(groups) if groups is not None else (None,) * len(self.names)
        self.numbers = dict(numbers or {})
        self.problems = tuple(problems)
        self._annotations = dict(annotations or {})
        self._concepts = concepts
        self.annotated = frozenset(self._annotations if concepts is None else range(len(self.names)))
        self._read = read

    def _labels(self) -> tuple[str | None, ...]:
        forms = [self.label_forms[form] for form in LABEL_FORMS if form in self.label_forms]
        if not forms:
            return (None,) * len(self.names)
        return tuple(
            next((label for label in labels if label is not None), None) for labels in zip(*forms, strict=True)
        )

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index):
        """One sample, or for a slice several. The picture is read and decoded at each call."""
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"Image {position} does not exist: {self.name} has {len(self)}, numbered from 0.")
        position %= len(self)
        picture, name = self._read(position), self.names[position]
        label, group = self.labels[position], self.groups[position]
        annotation = self._annotations.get(position)
        mask = None if annotation is None else annotation.mask(picture, name)
        if self._concepts is None:
            return Sample(picture.image, name, label, mask, group)
        concepts = self._concepts(position)
        if annotation is None:
            mask = next((concept.mask for concept in concepts if concept.category == OBJECT), None)
        return Sample(picture.image, name, label, mask, group, concepts)

    def picture(self, position: int) -> Picture:
        """The picture at a position, from 0 on, with how it lies in its file. Raises as `[i]` does."""
        if not 0 <= position < len(self):
            raise IndexError(f"Image {position} does not exist: {self.name} has {len(self)}, numbered from 0.")
        return self._read(position)

    def part(
        self,
        positions: Sequence[int],
        *,
        description: str,
        fingerprint: str,
        annotations: Mapping[int, Annotation] | None = None,
        label_forms: Mapping[str, tuple[str | None, ...]] | None = None,
    ) -> ImageSet:
        """The images at these positions in this order, all that is known of them kept; `subset` checks them.

        `annotations`, by position in the new set, stand in the place of what the images have, and so do `label_forms`.
        """
        forms = {form: tuple(some[one] for one in positions) for form, some in self.label_forms.items()}
        read, concepts, marks = self._read, self._concepts, self._annotations
        return ImageSet(
            name=self.name,
            description=description,
            fingerprint=fingerprint,
            names=[self.names[one] for one in positions],
            read=lambda i: read(positions[i]),
            label_forms=forms if label_forms is None else label_forms,
            label_sets=None if self.label_sets is None else [self.label_sets[one] for one in positions],
            groups=[self.groups[one] for one in positions],
            annotations={i: marks[one] for i, one in enumerate(positions) if one in marks} | dict(annotations or {}),
            concepts=None if concepts is None else lambda i: concepts(positions[i]),
            numbers={name: tuple(some[one] for one in positions) for name, some in self.numbers.items()},
        )

    def __repr__(self) -> str:
        return f"<ImageSet {self.name}: {len(self)} images, {len(self.annotated)} annotated>"
