"""What the folders say in which a picture lies: its class, its split, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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
NO_CLASS = frozenset("images image imgs img jpegimages pictures pics obj_train_data default".split())


class Places:
    """The label and the group of each picture of a folder, from where it lies."""

    def __init__(self, relatives: Sequence[str]) -> None:
        self._relatives = relatives
        folders = {path[: path.rfind("/") + 1] for path in relatives}
        parts = {one: tuple(part for part in one.split("/") if part) for one in folders}
        self._parts = {one: tuple(part for part in some if part.lower() not in NO_CLASS) for one, some in parts.items()}
        self.split_depth = self._depth_of_splits()
        """At which depth, from 0, all folders are splits of the set; None where at none."""
        self._said = {one: self._of_folder(parts) for one, parts in self._parts.items()}

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        depth = self.split_depth
        return () if depth is None else tuple(sorted({one[depth] for one in self._parts.values() if len(one) > depth}))

    def __iter__(self) -> Iterator[tuple[dict[str, str | None], str | None]]:
        """The forms of the label of each picture, and its group.

        The label is the folder that it lies in, and the group the folder above it, or the split. In one folder the
        label is the WordNet id that its name begins with, if there is one.
        """
        said = self._said
        for path in self._relatives:
            labels, group = said[path[: path.rfind("/") + 1]]
            if not labels and (named := _NAMED_LIKE_IMAGENET.match(path, path.rfind("/") + 1)):
                yield {"wnid": named[1]}, group
            else:
                yield labels, group

    def _of_folder(self, parts: tuple[str, ...]) -> tuple[dict[str, str | None], str | None]:
        depth, group = self.split_depth, None
        if depth is not None and len(parts) > depth:
            group, parts = parts[depth], parts[depth + 1 :]
        return ({"label": parts[-1]} if parts else {}), parts[-2] if len(parts) > 1 else group

    def _depth_of_splits(self) -> int | None:
        for depth in range(DEEPEST_SPLIT):
            names = {one[depth] for one in self._parts.values() if len(one) > depth}
            if not names:
                return None
            if all(SPLIT.fullmatch(name) for name in names):
                return depth
        return None
