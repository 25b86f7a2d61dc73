"""A file is read once, and what was read is what was checked."""

import os
import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp.images import UnreadableImage, stamps
from interp.images.decoding import Stamp, read_file

CHANGED = "changed since the set was opened. Open the set again"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_the_file_that_was_listed_is_read(picture: Path) -> None:
    found = read_file(picture, "a.png", Stamp.of(picture.stat()))
    assert np.asarray(found.image)[0, 0].tolist() == [1, 2, 3]


def test_another_file_of_the_same_size_and_time_is_refused(picture: Path, tmp_path: Path) -> None:
    listed = Stamp.of(picture.stat())
    other = tmp_path / "b.png"
    shutil.copy2(picture, other)
    content = bytearray(other.read_bytes())
    content[-1] ^= 1
    other.write_bytes(content)
    os.utime(other, ns=(listed.modified, listed.modified))
    os.replace(other, picture)
    found = picture.stat()
    assert (found.st_size, found.st_mtime_ns) == (listed.bytes, listed.modified)
    with pytest.raises(UnreadableImage, match=CHANGED):
        read_file(picture, "a.png", listed)


def test_a_file_written_in_place_with_its_time_put_back_is_refused(picture: Path) -> None:
    listed = Stamp.of(picture.stat())
    content = picture.read_bytes()
    picture.write_bytes(content[:-1] + b"\0")
    os.utime(picture, ns=(listed.modified, listed.modified))
    assert picture.stat().st_mtime_ns == listed.modified
    with pytest.raises(UnreadableImage, match=CHANGED):
        read_file(picture, "a.png", listed)


def test_a_file_written_while_it_is_read_is_refused(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Stamp.of(picture.stat())
    opened = open

    class Slow:
        def __init__(self, stream) -> None:
            self._stream = stream

        def __enter__(self):
            return self

        def __exit__(self, *_) -> None:
            self._stream.close()

        def read(self, count: int) -> bytes:
            content = self._stream.read(count)
            picture.write_bytes(content[:-1] + b"\0")
            return content

    monkeypatch.setattr(stamps, "open", lambda *given: Slow(opened(*given)), raising=False)
    with pytest.raises(UnreadableImage, match=CHANGED):
        read_file(picture, "a.png", listed)


def test_a_pipe_a_socket_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(tmp_path / "socket"))
    for path in (tmp_path / "pipe", tmp_path / "socket", Path("/dev/zero")):
        with pytest.raises(UnreadableImage, match="a device or a pipe"):
            stamps.content(path, "special")
    bound.close()


def test_a_pipe_that_takes_a_file_s_place_does_not_hang(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = picture.stat()
    os.mkfifo(tmp_path / "pipe")
    # Between the look at the file and its opening a pipe has taken its place.
    monkeypatch.setattr(stamps.os, "stat", lambda path: status)
    errors: list[Exception] = []

    def read() -> None:
        try:
            stamps.content(tmp_path / "pipe", "pipe")
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive() and "a device or a pipe" in str(errors[0])


def test_a_disk_that_fails_is_said(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(stamps.os, "open", fail)
    with pytest.raises(UnreadableImage, match="a.png: .*Input/output error"):
        stamps.content(picture, "a.png")
