"""Text files that people write: descriptions of models, lists of labels, tables."""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path
from unicodedata import normalize

LONGEST_VALUE = 80
LONGEST_NAME = 255
# Of western and of central Europe, and the older western one: what all read alike can hardly be meant otherwise.
_EUROPEAN = ("cp1252", "cp1250", "iso8859-15")


def read_text(path: Path, largest: int, what: str) -> tuple[str, str | None]:
    """A file's text, its lines ended by newlines alone, and a word on how it was read where it is not UTF-8.

    What is read is said at `decoded`.
    Raises `FileNotFoundError`, or `ValueError` that names the file; `what` says what it should be.
    """
    content = _content(path, largest, what)
    text, remark = decoded(content)
    if text is None or "\0" in text:
        raise ValueError(f"{shown(path)} is not text in UTF-8: save it again as UTF-8.")
    return re.sub(r"\r\n?", "\n", text), remark


def shown(value: object) -> str:
    """A path or a value from a file as part of a message: of readable length, and always text."""
    plain = str(value) if isinstance(value, str | Path) else _repr(value)
    text = plain.encode("utf-8", "replace").decode()
    longest = 500 if isinstance(value, Path) else LONGEST_VALUE
    return text if len(text) <= longest else f"{text[: longest // 2]} … ({len(text):,} characters)"


def composed(text: str) -> str:
    """Text whose accents are one character with their letter (Unicode's NFC), as most systems write them."""
    return text if text.isascii() else normalize("NFC", text)


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


def decoded(content: bytes, *, likely: bool = False) -> tuple[str | None, str | None]:
    """The text in these bytes, and the encoding where it is not UTF-8; None and None where that stays open.

    UTF-8 with or without a byte-order mark; UTF-16 with one, or where every other byte is null; and what every European
    code page reads alike. `likely` takes text of single accents as Windows-1252 where those of them differ.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if content.startswith(mark):
            text = _as(content.removeprefix(mark), encoding)
            # Two chance bytes at the start make no text of any file.
            plausible = text is not None and sum(character.isascii() for character in text) * 2 >= len(text)
            return (text, "UTF-16") if plausible else (None, None)
    text = _as(content, "utf-8-sig")
    if text is not None and "\0" not in text:
        return text, None
    unmarked = _unmarked(content)
    if unmarked is not None:
        return unmarked, "UTF-16"
    return (text, None) if text is not None else _of_a_code_page(content, likely)


def _unmarked(content: bytes) -> str | None:
    """UTF-16 without a mark, where at least half of its characters are ASCII and none is a control."""
    for place, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if (
            len(content) % 2 == 0
            and content[place::2].count(0) * 4 >= len(content)
            and 0 not in content[1 - place :: 2]
        ):
            text = _as(content, encoding)
            if text is not None and not re.search(r"[\x00-\x08\x0e-\x1f\ufffe]", text):
                return text
    return None


def _of_a_code_page(content: bytes, likely: bool) -> tuple[str | None, str | None]:
    # Cyrillic and Greek stand in whole words of such bytes; accents stand alone, or two of them in a word of others.
    words = re.findall(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", content)
    for word in set(words):
        longest = max(map(len, re.findall(rb"[\xc0-\xff]+", word)), default=0)
        if longest > 2 or (longest == 2 and not re.search(rb"[A-Za-z]", word)):
            return None, None
    # The marks of typography are accents on other systems: a code page is likely for them, and no more.
    if re.search(rb"[\x80-\x84\x86-\x90\x98-\x9f]" if likely else rb"[\x80-\x9f]", content):
        return None, None
    readings = [_as(content, encoding) for encoding in _EUROPEAN]
    text = readings[0]
    if text is None or (not likely and len(set(readings)) > 1):
        return None, None
    letters = all(one.isalpha() or (likely and not one.isspace()) for one in text if not one.isascii())
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
