"""Names and messages from outside, made safe to show: Streamlit reads Markdown in labels, captions and errors."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:])")


def plain(text: str, *, limit: int = 300) -> str:
    """A text as itself, whatever Markdown it holds: on one line, at most `limit` characters."""
    return _MARKDOWN.sub(r"\\\1", shortened(" ".join(text.split()), limit))


def prediction(label: str, probability: float, *, several: bool, digits: int = 1) -> str:
    """The most probable class with its probability, said so that it is true also where no class is predicted.

    `several` says that the classes do not exclude each other.
    """
    share = f"{probability:.{digits}%}"
    return f"most probable **{plain(label)}**, {share}" if several else f"predicted **{plain(label)}** with {share}"


def parted(message: str) -> tuple[str, str]:
    """A message as what it says and the lines of code that it gives, those that are indented by four spaces."""
    lines = message.splitlines()
    code = [line[4:] for line in lines if line.startswith("    ")]
    return "\n".join(line for line in lines if not line.startswith("    ")), "\n".join(code)


def shortened(text: str, limit: int) -> str:
    """A text of at most `limit` characters, with … in its middle where it is longer: names differ at their ends."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[-tail:]}"
