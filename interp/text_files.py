"""Small text files that people write: descriptions of models, and lists of labels."""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

LONGEST_VALUE = 80
LONGEST_NAME = 255
# Of western and of central Europe, and the older western one: what all read alike can hardly be meant otherwise.
_EUROPEAN = ("cp1252", "cp1250", "iso8859-15")


def read_text(path: Path, largest: int, what: str) -> tuple[str, str | None]:
    """A file's text, its lines ended by newlines alone, and a word on how it was read where it is not UTF-8.

    UTF-8 with or without a byte-order mark, UTF-16 with one, and what every European code page reads alike.
    Raises `FileNotFoundError`, or `ValueError` that names the file; `what` says what it should be.
    """
    content = _content(path, largest, what)
    text, remark = _decoded(content)
    if text is None or "\0" in text:
        raise ValueError(f"{shown(path)} is not text in UTF-8: save it again as UTF-8.")
    return re.sub(r"\r\n?", "\n", text), remark


def shown(value: object) -> str:
    """A path or a value from a file as part of a message: of readable length, and always text."""
    plain = str(value) if isinstance(value, str | Path) else _repr(value)
    text = plain.encode("utf-8", "replace").decode()
    longest = 500 if isinstance(value, Path) else LONGEST_VALUE
    return text if len(text) <= longest else f"{text[: longest // 2]} … ({len(text):,} characters)"


def is_file(path: Path) -> bool:
    """Whether there is an ordinary file at a path, whatever the path is."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError, RuntimeError):
        return False


def beside(path: Path, name: str, key: str) -> Path:
    """The file that a description names: relative to its own folder, with the separators of any system.

    Raises `ValueError` for what can be no path.
    """
    if any(len(part.encode("utf-8", "replace")) > LONGEST_NAME for part in re.split(r"[/\\]", name)) or "\0" in name:
        raise ValueError(
            f"{shown(path)} has {key} = {shown(name)!r}: a file's name has at most {LONGEST_NAME} characters. "
            "Give a file beside the TOML file."
        )
    found = path.parent / name
    if "\\" in name and not is_file(found):
        if re.match(r"[A-Za-z]:", name) and not Path(name).is_absolute():
            raise ValueError(
                f"{shown(path)} has {key} = {shown(name)!r}, a path of Windows, and this server does not run on "
                "Windows: put the file beside the TOML file, and give its name."
            )
        return path.parent / name.replace("\\", "/")
    return found


def _content(path: Path, largest: int, what: str) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ValueError(f"{shown(path)} is a folder: it must be {what}.")
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{shown(path)} is no ordinary file: it must be {what}.")
        if status.st_size > largest:
            raise ValueError(f"{shown(path)} is too large: it must be {what}.")
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {shown(path)}.") from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{shown(path)} cannot be read ({reason}).") from None


def _decoded(content: bytes) -> tuple[str | None, str | None]:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            text = _as(content.removeprefix(mark), encoding)
            # Two chance bytes at the start make no text of any file.
            plausible = text is not None and sum(character.isascii() for character in text) * 2 >= len(text)
            return (text, "UTF-16") if plausible else (None, None)
    text = _as(content, "utf-8-sig")
    if text is not None:
        return text, None
    readings = {_as(content, encoding) for encoding in _EUROPEAN}
    text = readings.pop() if len(readings) == 1 else None
    # Cyrillic and Greek stand in whole words of such bytes; accents stand alone.
    if text is None or re.search(rb"[\x80-\xff]{2}|[\x80-\x9f]", content):
        return None, None
    letters = all(character.isalpha() for character in text if not character.isascii())
    return (text, "Windows-1252") if letters else (None, None)


def _as(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _repr(value: object) -> str:
    try:
        return repr(value)
    except ValueError:
        # Python writes no whole number of more than 4,300 digits.
        return "a number of more than 4,300 digits"
