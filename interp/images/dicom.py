"""DICOM, where pydicom is installed: the first frame, through the window that the file itself gives.

Source: DICOM PS3.3, C.11.1 (Modality LUT), C.11.2 (VOI LUT) and C.7.6.3.1.2 (photometric interpretation).
"""

from __future__ import annotations

import importlib
import io
import re
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from PIL import Image

from interp.images.problems import printable
from interp.images.unreadable import UnreadableImage, refuse_size, too_large

DEFLATED = "1.2.840.10008.1.2.1.99"
RUN_LENGTHS = "1.2.840.10008.1.2.5"
# PackBits gives up to 64 times the bytes that are stored.
LARGEST_RUN_LENGTHS = 8_000_000
# Each item of a sequence costs pydicom 15 microseconds and a kilobyte.
MOST_ITEMS = 50_000
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_READ = (
    "TransferSyntaxUID Rows Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation PlanarConfiguration "
    "BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit PixelData "
    "FloatPixelData DoubleFloatPixelData RescaleSlope RescaleIntercept ModalityLUTSequence VOILUTSequence WindowCenter "
    "WindowWidth VOILUTFunction SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence "
    "RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor BluePaletteColorLookupTableDescriptor "
    "RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData"
).split()


def is_dicom(content: bytes) -> bool:
    """Whether these bytes bear DICOM's mark."""
    return content[128:132] == b"DICM"


def read(content: bytes, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    """The first frame as RGB, and what was done to it. Raises `UnreadableImage`."""
    try:
        pydicom = importlib.import_module("pydicom")
    except ImportError:
        reason = "this is DICOM: install pydicom on the server, or export it as PNG of 8 bits."
        raise UnreadableImage(name, reason) from None
    try:
        return _read(pydicom, content, name)
    except (UnreadableImage, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise
    except Exception as error:  # A damaged file leads the parser to any error.
        detail = printable(str(error)).rstrip(".") or type(error).__name__
        reason = f"this is DICOM, and it is damaged or incomplete ({detail}). Copy it again, or export it as PNG."
        raise UnreadableImage(name, reason) from error


def _read(pydicom: Any, content: bytes, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    syntax = _syntax(content)
    if syntax == DEFLATED:
        raise UnreadableImage(name, "its content is compressed as a whole (deflated DICOM). Save it uncompressed.")
    if max(content.count(one) for one in _ITEMS) > MOST_ITEMS:
        raise UnreadableImage(name, f"this DICOM file has over {MOST_ITEMS:,} items. Export the picture as PNG.")
    source = pydicom.dcmread(io.BytesIO(content), specific_tags=_READ)
    if "PixelData" not in source:
        raise UnreadableImage(name, "this is DICOM without a picture in it. Supply the series' images.")
    _refuse_size(pydicom, source, syntax, name)
    try:
        pixels = pydicom.pixels.pixel_array(source, index=0)
    except (RuntimeError, NotImplementedError):
        reason = (
            f"its pixels are compressed ({pydicom.uid.UID(syntax).name}), and the server has no decoder for it. "
            "Save it uncompressed, or install pylibjpeg with pylibjpeg-libjpeg on the server."
        )
        raise UnreadableImage(name, printable(reason)) from None
    interpretation = str(source.get("PhotometricInterpretation", ""))
    if interpretation.startswith("MONOCHROME") and pixels.ndim == 2:
        eight, remarks = _grey(pydicom, source, pixels)
        if interpretation == "MONOCHROME1":
            eight = 255 - eight
            remarks += ("Its low values are white (MONOCHROME1), and were turned round.",)
    else:
        eight, remarks = _colour(pydicom, source, pixels, interpretation), ()
    frames = int(source.get("NumberOfFrames") or 1)
    if frames > 1:
        remarks += (f"It holds {frames:,} frames; the first is taken. Export the others as pictures of their own.",)
    return Image.fromarray(eight).convert("RGB"), remarks


def _syntax(content: bytes) -> str:
    """How the content is encoded, from the file's header; a deflated one must be refused before it is parsed."""
    found = re.search(rb"\x02\x00\x10\x00UI(..)([0-9.]+)", content[132:4096], re.DOTALL)
    return found[2].decode() if found else ""


def _refuse_size(pydicom: Any, source: Any, syntax: str, name: str) -> None:
    columns, rows = int(source.get("Columns") or 0), int(source.get("Rows") or 0)
    refuse_size(columns, rows, name)
    if syntax == RUN_LENGTHS and len(source.PixelData) > LARGEST_RUN_LENGTHS:
        raise UnreadableImage(name, "its run-length compressed pixels have over 8 MB. Save it uncompressed.")
    if not pydicom.uid.UID(syntax).is_compressed or syntax == RUN_LENGTHS:
        return
    frame = pydicom.encaps.get_frame(source.PixelData, 0, number_of_frames=int(source.get("NumberOfFrames") or 1))
    with Image.open(io.BytesIO(frame), formats=("JPEG", "JPEG2000")) as inner:
        if inner.size != (columns, rows):
            raise UnreadableImage(name, too_large(f"{inner.width:,} × {inner.height:,}"))


def _grey(
    pydicom: Any, source: Any, stored: Shaped[np.ndarray, "rows columns"]
) -> tuple[UInt8[np.ndarray, "rows columns"], tuple[str, ...]]:
    """The stored values through the modality's and the viewer's transformation, and what was done."""
    modality = _holder(source, "PixelValueTransformationSequence", "RescaleSlope")
    if source.get("ModalityLUTSequence"):
        values = pydicom.pixels.apply_modality_lut(stored, source).astype(np.float32)
    else:
        slope, intercept = float(modality.get("RescaleSlope", 1)), float(modality.get("RescaleIntercept", 0))
        values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    view = _holder(source, "FrameVOILUTSequence", "WindowCenter")
    if source.get("VOILUTSequence"):
        table = source.VOILUTSequence[0]
        bits = int(table.LUTDescriptor[2])
        looked_up = pydicom.pixels.apply_voi(values.astype(np.int32), source)
        shown = looked_up.astype(np.float32) * (255 / ((1 << bits) - 1))
        return _bytes(shown), ("Its values were shown through the file's own table (VOI LUT).",)
    if view.get("WindowWidth") is not None and view.get("WindowCenter") is not None:
        centre, width = _first(view.WindowCenter), _first(view.WindowWidth)
        function = str(view.get("VOILUTFunction") or "LINEAR")
        said = f"Its values were shown through the file's window (centre {centre:g}, width {width:g})."
        return _bytes(_windowed(values, centre, width, function)), (said,)
    seen = values[stored != int(source.PixelPaddingValue)] if source.get("PixelPaddingValue") is not None else values
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    said = (
        f"It gives no window, so black was laid at its lowest value ({low:g}) and white at its highest ({high:g}). "
        "Set WindowCenter and WindowWidth in the file for others."
    )
    return _bytes((values - low) * (255 / (high - low) if high > low else 0.0)), (said,)


def _windowed(
    values: Float[np.ndarray, "rows columns"], centre: float, width: float, function: str
) -> Float[np.ndarray, "rows columns"]:
    """From 0 to 255, by the formulas of PS3.3 C.11.2.1.2 and C.11.2.1.3; beyond the window it is not yet cut off."""
    if function == "SIGMOID":
        return 255 / (1 + np.exp(np.clip(-4 * (values - centre) / max(width, 1e-6), -80, 80)))
    if function == "LINEAR_EXACT":
        return ((values - centre) / max(width, 1e-6) + 0.5) * 255
    if width <= 1:
        return np.where(values <= centre - 0.5, np.float32(0), np.float32(255))
    return ((values - (centre - 0.5)) / (width - 1) + 0.5) * 255


def _colour(pydicom: Any, source: Any, pixels: np.ndarray, interpretation: str) -> UInt8[np.ndarray, "rows columns 3"]:
    if interpretation == "PALETTE COLOR":
        pixels = pydicom.pixels.apply_color_lut(pixels, source)[..., :3]
        return (pixels >> (8 * (pixels.dtype.itemsize - 1))).astype(np.uint8)
    bits = int(source.get("BitsStored") or 8)
    return (pixels[..., :3] >> max(bits - 8, 0)).astype(np.uint8)


def _holder(source: Any, sequence: str, keyword: str) -> Any:
    """Where a value stands: in the data set itself, or in what it says of all frames, or of the first."""
    if source.get(keyword) is not None:
        return source
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        items = source.get(groups)
        inner = items[0].get(sequence) if items else None
        if inner and inner[0].get(keyword) is not None:
            return inner[0]
    return source


def _first(value: Any) -> float:
    return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)


def _bytes(shown: Float[np.ndarray, "rows columns"]) -> UInt8[np.ndarray, "rows columns"]:
    return np.clip(np.nan_to_num(shown) + 0.5, 0, 255).astype(np.uint8)
