"""What the folders say in which a picture lies: its class, its split, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Folders that hold pictures, annotations or masks of all classes: their names are no labels.
CONTAINERS = frozenset(
    "images image imgs img jpegimages pictures pics obj_train_data default annotations annotation annots annot ann "
    "anns labels label masks mask segmentation segmentations segmentationclass segmentationobject seg gt groundtruth "
    "ground_truth trimaps trimap json xml txt yolo coco voc labelme".split()
)
MASKS = frozenset(
    "masks mask segmentation segmentations segmentationclass segmentationobject seg segs gt groundtruth ground_truth "
    "trimaps trimap annotations annotation labels label mattes matte".split()
)
SPLIT = re.compile(r"(train|training|val|valid|validation|test|testing|trainval|dev|eval)(\d{4})?", re.IGNORECASE)
# Folders are looked at so deep for the splits.
DEEPEST_SPLIT = 3
_NAMED_LIKE_IMAGENET = re.compile(r"(n\d{8})_")
# Of the folders that hold all kinds of things only these are also names that a class of pictures may not have.
_NO_CLASS = frozenset("images image imgs img jpegimages pictures pics obj_train_data default".split())


class Places:
    """The label and the group of each picture of a folder, from where it lies."""

    def __init__(self, relatives: Sequence[str]) -> None:
        self._folders = [tuple(one for one in path.split("/")[:-1] if one.lower() not in _NO_CLASS) for path in relatives]
        self._names = [path.rsplit("/", 1)[-1] for path in relatives]
        self.split_depth = self._depth_of_splits()
        """At which depth, from 0, all folders are splits of the set; None where at none."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        depth = self.split_depth
        return () if depth is None else tuple(sorted({one[depth] for one in self._folders if len(one) > depth}))

    def of(self, place: int) -> tuple[dict[str, str | None], str | None]:
        """The forms of the label of the picture at a position, and its group.

        The label is the folder that it lies in, and the group the folder above it, or the split. In one folder the label
        is the WordNet id that its name begins with, if there is one.
        """
        folders = self._folders[place]
        if self.split_depth is not None and len(folders) > self.split_depth:
            split, below = folders[self.split_depth], folders[self.split_depth + 1 :]
            return self._label(place, below), below[-2] if len(below) > 1 else split
        return self._label(place, folders), folders[-2] if len(folders) > 1 else None

    def _label(self, place: int, folders: tuple[str, ...]) -> dict[str, str | None]:
        named = None if folders else _NAMED_LIKE_IMAGENET.match(self._names[place])
        return {"wnid": named[1] if named else None, "label": folders[-1] if folders else None}

    def _depth_of_splits(self) -> int | None:
        for depth in range(DEEPEST_SPLIT):
            names = {one[depth] for one in self._folders if len(one) > depth}
            if not names:
                return None
            if all(SPLIT.fullmatch(name) for name in names):
                return depth
        return None
