"""An image set: a list of pictures with names, labels and annotations, whose pixels are read when asked for."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from jaxtyping import Bool, Integer
from PIL import Image

from interp.images.account import Account
from interp.images.annotation import Annotation, Marking
from interp.images.concept import Concept, PictureConcepts
from interp.images.concept_folders.masks import ConceptMasks
from interp.images.decoding import DecodedImage
from interp.images.own_marks import own_names
from interp.images.problems import Problem, unique
from interp.images.watching import Watch
from interp.types import digest

# The category of the concept that is the picture's object: its mask is the annotation.
OBJECT = "shape"
LABEL_FORMS = ("wnid", "label", "class_index")


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of a set: upright RGB, and what is known about it.

    `concepts` are all that the source knows to be in the picture, each with its mask; few sources know any.
    `categories` are those of which it knows what of them is in the picture, None where it knows all there is. `marking`
    is what people marked in it, and `own` the names of those marks that are of its own label, None where all are.
    `remarks` are sentences on what was guessed or changed in reading it.
    """

    image: Image.Image
    name: str
    label: str | None = None
    group: str | None = None
    concepts: tuple[Concept, ...] = ()
    marking: Marking | None = None
    own: frozenset[str] | None = None
    remarks: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None

    @property
    def mask(self) -> Bool[np.ndarray, "rows columns"] | None:
        """The union of what people marked of its own label, in the picture's own coordinates.

        What has no name counts for every label. None where nobody marked anything of it; `unmarked` says why, where
        something is marked all the same.
        """
        return self._own_mask[0]

    @property
    def unmarked(self) -> str | None:
        """Why there is no mask although something is marked; None where nothing is, or there is one."""
        return self._own_mask[1]

    @cached_property
    def _own_mask(self) -> tuple[Bool[np.ndarray, "rows columns"] | None, str | None]:
        if self.marking is None:
            return next((one.mask for one in self.concepts if one.category == OBJECT), None), None
        try:
            mask = self.marking.mask(self.own)
        except ValueError as error:
            return None, str(error)
        if mask is None:
            marked = ", ".join(map(repr, self.marking.annotation.labels[:3]))
            return None, f"What is marked in it is {marked}, and its label is {self.label!r}."
        return mask, None

    def marked(self, names: Collection[str] | None = None) -> Bool[np.ndarray, "rows columns"] | None:
        """The union of all marks, or of those that have one of the names (`problems.same_name`) or none.

        None where there is none. Raises `ValueError` where they cannot be laid over the picture.
        """
        return self.mask if self.marking is None else self.marking.mask(names)


# Not Sequence[Sample]: a runtime type checker takes a subscripted base for a request to read one of the pictures.
class ImageSet(Sequence):
    """Pictures with their labels, groups and annotations, in a fixed order; `[i]` reads one from its source.

    `fingerprint` is a digest of the content: sets with the same fingerprint give the same samples. `labels` are as
    the source gives them, and `label_forms` holds each form that it gives, by 'wnid' (WordNet id), 'label' (name) and
    'class_index'. Where it gives several labels a picture, `label_sets` has all of each picture's, None where none are
    given, and `labels` the first, or the largest marked; else it is None. `counts_from` is what labels that are numbers
    are said to count from. `numbers` holds the numeric columns that the source gives beside these, nan where there is
    none. `annotated` holds the positions in which something is marked. `concepts` gives what is known of the image at a
    position, the object itself under the category 'shape'; `concept_masks` are those of a concept data set, by the
    position, and what people marked is told apart from them. `problems` says what was left out, and `account` what
    became of every file, label and mark, where the source has such.
    `[i]` raises `IndexError` beyond the end, and `UnreadableImage` for a picture that turns out to be unreadable.
    """

    def __init__(
        self,
        *,
        name: str,
        description: str,
        fingerprint: str,
        names: Sequence[str],
        read: Callable[[int], DecodedImage],
        label_forms: Mapping[str, tuple[str | None, ...]] | None = None,
        label_sets: Sequence[frozenset[str] | None] | None = None,
        groups: Sequence[str | None] | None = None,
        annotations: Mapping[int, Annotation] | None = None,
        concepts: Callable[[int], tuple[Concept, ...]] | None = None,
        concept_masks: Mapping[int, ConceptMasks] | None = None,
        numbers: Mapping[str, tuple[float, ...]] | None = None,
        problems: Sequence[Problem] = (),
        account: Account | None = None,
        watch: Watch | None = None,
        state: Callable[[int], tuple | None] | None = None,
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
        self.account = account
        self.counts_from: int | None = None
        self._watch = watch
        self._state = state
        self._annotations = dict(annotations or {})
        self._concepts = concepts
        self._concept_masks = dict(concept_masks or {})
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
        marking = None if annotation is None else Marking(annotation, picture.stored_size, picture.orientation)
        remarks = picture.remarks if marking is None or marking.scaled is None else (*picture.remarks, marking.scaled)
        own = self._own.get(position)
        if not self._concept_masks:
            concepts = () if self._concepts is None else self._concepts(position)
            return Sample(picture.image, name, label, group, concepts, marking, own, remarks)
        masks = self._concept_masks.get(position)
        found = PictureConcepts() if masks is None else masks.read(picture)
        remarks = (*remarks, *found.remarks)
        return Sample(picture.image, name, label, group, found.concepts, marking, own, remarks, found.categories)

    @property
    def concept_images(self) -> frozenset[int]:
        """The positions of the images that a concept data set has masks or labels of."""
        return frozenset(self._concept_masks)

    @cached_property
    def _own(self) -> dict[int, frozenset[str]]:
        return own_names(self.label_forms, self._annotations)

    @cached_property
    def mark_labels(self) -> tuple[str, ...]:
        """What the things are called that are marked in the set, as it is written, each once."""
        labels = (label for _, one in sorted(self._annotations.items()) for label in one.labels)
        return tuple(dict.fromkeys(labels))

    def own_marks(self, position: int) -> frozenset[str] | None:
        """The names (`problems.same_name`) of the marks of the image's own label; None where all of them count."""
        return self._own.get(position)

    def state(self, position: int) -> tuple | None:
        """What tells the file of the image at a position from any other, and from itself when it has changed.

        None where the images are no files, or a file had changed only just before.
        """
        return None if self._state is None else self._state(position)

    def fingerprint_of(self, positions: Sequence[int] | Integer[np.ndarray, " m"]) -> str:
        """A digest of the places, names and files of some images: other images of the set may change.

        Labels and marks do not count. Where it is not known what tells an image's file, the whole set counts.
        """
        places = [int(one) for one in positions]
        return digest(repr([(one, self.names[one], self.state(one) or self.fingerprint) for one in places]))

    def marks_fingerprint_of(self, positions: Sequence[int] | Integer[np.ndarray, " m"]) -> str:
        """A digest of what is marked in some images, and which of it is of their own labels, as far as it is known."""
        return digest(repr([self._marks_state(int(one)) for one in positions]))

    def _marks_state(self, position: int) -> tuple:
        annotation, own = self._annotations.get(position), self._own.get(position)
        known = None if annotation is None else annotation.fingerprint if annotation.stamped else self.fingerprint
        more = None if self._concepts is None and position not in self._concept_masks else self.fingerprint
        return known, more, None if own is None else sorted(own)

    def changed(self) -> bool:
        """Whether the files that it was made of are others by now, so that it is to be opened again."""
        return self._watch is not None and self._watch.changed()

    def picture(self, position: int) -> DecodedImage:
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
        read, concepts, marks, masks = self._read, self._concepts, self._annotations, self._concept_masks
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
            concept_masks={i: masks[one] for i, one in enumerate(positions) if one in masks},
            numbers={name: tuple(some[one] for one in positions) for name, some in self.numbers.items()},
            account=self.account if len(positions) == len(self) else None,
            state=None if self._state is None else lambda i: self.state(positions[i]),
        ).counting_from(self.counts_from)

    def counting_from(self, start: int | None) -> ImageSet:
        """The set, said to have labels that are numbers of classes from `start`, 0 or 1; None leaves that open.

        Raises `ValueError` for another number.
        """
        if start not in (None, 0, 1):
            raise ValueError(f"Labels cannot count from {start}: give 0 or 1.")
        if start == self.counts_from:
            return self
        found = copy.copy(self)
        found.counts_from = start
        found.fingerprint = f"{self.fingerprint.partition(' counted from')[0]} counted from {start}"
        return found

    def __repr__(self) -> str:
        return f"<ImageSet {self.name}: {len(self)} images, {len(self.annotated)} annotated>"
