"""Where images and annotations come from: bundled, folders, COCO, Pascal VOC, masks, uploads."""

from interp.images.account import Account
from interp.images.decoding import UnreadableImage, decode
from interp.images.image_set import ImageSet, Sample
from interp.images.picture_bytes import bytes_of, pixels_of
from interp.images.problems import Problem
from interp.images.sources import MORE_SCENES, SetOffer, available, load
from interp.images.subset import subset
from interp.images.uploads import from_files

__all__ = [
    "MORE_SCENES",
    "Account",
    "ImageSet",
    "SetOffer",
    "Problem",
    "Sample",
    "UnreadableImage",
    "available",
    "bytes_of",
    "decode",
    "from_files",
    "load",
    "pixels_of",
    "subset",
]
