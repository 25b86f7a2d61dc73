"""Widgets whose value is in the address: one of a few, one of many, a number, two of them, a text.

Where `drawn` is False the value is what the address says, or was chosen last, and nothing is drawn: for what lies in a
closed expander.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import streamlit as st

from pages.parts.kit import address

T = TypeVar("T", int, float)


def one_of(
    label: str,
    key: str,
    options: Sequence[str],
    *,
    default: str | None = None,
    help: str | None = None,
    drawn: bool = True,
) -> str:
    """Draw a few options side by side; gives the chosen one. The first is the default where none is named."""
    default = options[0] if default is None else default
    chosen = address.seed(key, default, valid=options.__contains__, parse=str)
    if drawn:
        chosen = st.segmented_control(label, options, key=key, required=True, wrap=True, help=help)
    address.publish(key, None if chosen == default else chosen)
    return chosen or default


def listed(
    label: str,
    key: str,
    options: Sequence[str],
    *,
    default: str | None = None,
    named: Callable[[str], str] = str,
    help: str | None = None,
) -> str:
    """Draw a list of options; gives the chosen one. The first is the default where none is named.

    As long as nothing is chosen the default counts, also where it changes.
    """
    default = options[0] if default is None else default
    address.follow(key, default)
    address.seed(key, default, valid=options.__contains__, parse=str)
    chosen = st.selectbox(label, options, key=key, format_func=named, help=help)
    address.publish(key, None if chosen == default else chosen)
    return chosen or default


def slid(label: str, key: str, default: T, *, low: T, high: T, step: T, help: str | None = None) -> T:
    """Draw a slider; gives its number."""
    kind = type(default)
    address.seed(key, default, valid=lambda one: low <= one <= high, parse=lambda text: kind(text))
    chosen = st.slider(label, low, high, step=step, key=key, help=help)
    address.publish(key, None if chosen == default else f"{chosen:g}")
    return chosen


def between(
    label: str,
    key: str,
    default: tuple[T, T],
    *,
    low: T,
    high: T,
    step: T,
    help: str | None = None,
    width: int = 0,
    shortened: bool = True,
) -> tuple[T, T]:
    """Draw a slider with two handles, as wide as there is room or so many pixels; gives both numbers.

    Where the address is not `shortened`, it names the default, too.
    """
    kind = type(low)

    def parse(text: str) -> tuple[T, T]:
        least, most = text.split("-")
        return kind(least), kind(most)

    address.seed(key, default, valid=lambda pair: low <= pair[0] <= pair[1] <= high, parse=parse)
    drawn = st.slider(label, low, high, step=step, key=key, help=help, width=width or "stretch")
    least, most = cast(tuple[T, T], drawn)
    address.publish(key, None if shortened and (least, most) == default else f"{least:g}-{most:g}")
    return least, most


def number(
    label: str, key: str, default: int, *, low: int, high: int, help: str | None = None, drawn: bool = True
) -> int:
    """Draw a field for a whole number; gives it."""
    chosen = address.seed(key, default, valid=lambda one: low <= one <= high, parse=int)
    if drawn:
        chosen = st.number_input(label, low, high, step=1, key=key, help=help)
    address.publish(key, None if chosen == default else str(chosen))
    return chosen


def text(label: str, key: str, *, placeholder: str, help: str | None = None) -> str:
    """Draw a field for a text; gives it without spaces around it."""
    address.seed(key, "", valid=lambda one: True, parse=str)
    written = st.text_input(label, key=key, placeholder=placeholder, help=help).strip()
    address.publish(key, written or None)
    return written
