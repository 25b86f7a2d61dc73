"""DICOM: pixel values by hand, and against pydicom's own functions."""

import io
import time

import numpy as np
import pytest

from interp.images import UnreadableImage, dicom
from interp.images.decoding import read

pydicom = pytest.importorskip("pydicom", reason="needs pydicom, which reads DICOM")
STORED = np.array([[0, 1000], [1024, 1063], [1064, 1224], [2000, 4095]], np.uint16)


def made(stored: np.ndarray = STORED, *, syntax: str = pydicom.uid.ExplicitVRLittleEndian, **more) -> bytes:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    source = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    source.SOPClassUID, source.SOPInstanceUID = pydicom.uid.CTImageStorage, "1.2.3"
    source.Rows, source.Columns = stored.shape[-2:]
    source.BitsAllocated, source.BitsStored, source.HighBit = 16, 12, 11
    source.SamplesPerPixel, source.PixelRepresentation = 1, int(stored.dtype.kind == "i")
    source.PhotometricInterpretation = "MONOCHROME2"
    source.PixelData = stored.tobytes()
    source["PixelData"].VR = "OW"
    for keyword, value in more.items():
        setattr(source, keyword, value)
    stream = io.BytesIO()
    source.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def grey(content: bytes) -> np.ndarray:
    picture = read(content, "scan.dcm")
    assert picture.image.mode == "RGB"
    return np.asarray(picture.image)[..., 0]


CT = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400}


def test_the_window_of_the_file() -> None:
    # In Hounsfield units -1024, -24, 0, 39, 40, 200, 976, 3071. (x - 39.5) / 399 + 0.5, times 255:
    # 0 -> 102.26, 39 -> 127.18, 40 -> 127.82, 200 -> 230.08; -24 -> 86.9.
    assert grey(made(**CT)).tolist() == [[0, 87], [102, 127], [128, 230], [255, 255]]
    remarks = " ".join(read(made(**CT), "scan.dcm").remarks)
    assert "window (centre 40, width 400)" in remarks


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_window_agrees_with_pydicom(function: str) -> None:
    stored = np.random.default_rng(0).integers(0, 4096, (30, 20)).astype(np.uint16)
    content = made(stored, VOILUTFunction=function, **CT)
    source = pydicom.dcmread(io.BytesIO(content))
    values = pydicom.pixels.apply_windowing(pydicom.pixels.apply_rescale(stored, source), source)
    low, high = -1024, 3071
    expected = (values - low) / (high - low) * 255
    assert np.abs(grey(content) - expected).max() <= 0.51


def test_what_counts_from_white_is_turned_round() -> None:
    assert (grey(made(PhotometricInterpretation="MONOCHROME1", **CT)) == 255 - grey(made(**CT))).all()
    remarks = read(made(PhotometricInterpretation="MONOCHROME1", **CT), "scan.dcm").remarks
    assert any("MONOCHROME1" in said for said in remarks)


def test_of_several_windows_the_first_and_of_several_frames_the_first() -> None:
    frames = np.stack([STORED, STORED * 0])
    several = made(frames, NumberOfFrames=2, **{**CT, "WindowCenter": [40, 600], "WindowWidth": [400, 2000]})
    assert (grey(several) == grey(made(**CT))).all()
    assert any("2 frames; the first" in said for said in read(several, "scan.dcm").remarks)


def test_without_a_window_from_its_lowest_value_to_its_highest() -> None:
    signed = np.array([[-100, 0], [50, 155]], np.int16)
    assert grey(made(signed)).tolist() == [[0, 100], [150, 255]]
    assert "gives no window" in read(made(signed), "scan.dcm").remarks[0]
    padded = np.array([[-2000, 0], [50, 255]], np.int16)
    assert grey(made(padded, PixelPaddingValue=-2000)).tolist() == [[0, 0], [50, 255]]
    assert not grey(made(np.full((4, 4), 7, np.uint16))).any()


def test_a_table_of_the_file() -> None:
    table = pydicom.Dataset()
    table.LUTDescriptor, table.LUTData = [4, 0, 8], [10, 20, 30, 250]
    table["LUTDescriptor"].VR = "US"
    table["LUTData"].VR = "US"
    found = grey(made(np.array([[0, 1], [2, 3], [4, 99]], np.uint16), VOILUTSequence=[table]))
    assert found.tolist() == [[10, 20], [30, 250], [250, 250]]


def test_the_window_of_an_enhanced_file() -> None:
    window, values, groups = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    window.WindowCenter, window.WindowWidth = 40, 400
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, -1024, "HU"
    groups.FrameVOILUTSequence, groups.PixelValueTransformationSequence = [window], [values]
    assert (grey(made(SharedFunctionalGroupsSequence=[groups])) == grey(made(**CT))).all()


def test_colours() -> None:
    stored = np.random.default_rng(0).integers(0, 255, (4, 6, 3)).astype(np.uint8)
    content = made(
        STORED,
        Rows=4,
        Columns=6,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelData=stored.tobytes(),
    )
    assert (np.asarray(read(content, "scan.dcm").image) == stored).all()


def test_compressed_pixels() -> None:
    source = pydicom.dcmread(io.BytesIO(made(**CT)))
    source.compress(pydicom.uid.RLELossless)
    stream = io.BytesIO()
    source.save_as(stream)
    assert (grey(stream.getvalue()) == grey(made(**CT))).all()


def test_what_cannot_be_read_is_named() -> None:
    def refused(content: bytes) -> str:
        with pytest.raises(UnreadableImage) as caught:
            read(content, "scan.dcm")
        return str(caught.value)

    assert "65,000 × 60,000 pixels, and the limit is 50 million" in refused(made(Rows=60000, Columns=65000))
    assert "at most 200 times" in refused(made(Rows=1, Columns=4000))
    assert "without a picture" in refused(bytes(128) + b"DICM" + bytes(60))
    assert "is DICOM, and it is damaged" in refused(made()[:-4])
    assert "deflated" in refused(made(syntax=pydicom.uid.DeflatedExplicitVRLittleEndian))
    unknown = made(syntax=pydicom.uid.JPEGLSLossless, PixelData=pydicom.encaps.encapsulate([b"\xff\xd8\xff\xf7\0\0"]))
    assert "scan.dcm: " in refused(unknown)


def test_a_file_of_millions_of_items_is_refused_at_once() -> None:
    content = made()
    at = content.index(b"\x28\0\2\0")
    items = b"\x29\0\1\0SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\0\0\0\0" * 1_000_000
    begun = time.perf_counter()
    with pytest.raises(UnreadableImage, match="over 50,000 items"):
        read(content[:at] + items + content[at:], "scan.dcm")
    assert time.perf_counter() - begun < 1
    assert dicom.is_dicom(content)
