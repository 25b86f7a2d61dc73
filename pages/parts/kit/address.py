"""What a person chose is in the address, and survives moving between pages.

Streamlit's own `bind="query-params"` loses a choice when `st.page_link` leads to another page of a `pages/` folder
(measured with 1.67), so the few lines that keep session and address alike are here. Links between pages need no
parameters: a choice is remembered by its session, and the page that is opened writes it into the address.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

# A click that follows another before the browser has shown the first one's address still carries the address from
# before: what we wrote in these last seconds is our own echo, not a wish of the reader.
ECHO_SECONDS = 3.0


def seed(key: str, default: Any, *, valid: Callable[[Any], bool], parse: Callable[[str], Any]) -> Any:
    """Set the value that the widget with this key begins with: the address's, else the last one, else the default.

    `parse` reads the address's text and may raise `ValueError`; what is not valid counts as not given (`missed`).
    """
    kept = _kept()
    value = st.session_state.get(key, kept.remembered.get(key, default))
    if not valid(value):
        value = default
    text = st.query_params.get(key)
    if text is not None and kept.is_news(key, text):
        kept.missed.pop(key, None)
        try:
            wished = parse(text)
        except ValueError:
            wished = default
        if valid(wished):
            value = wished
        else:
            kept.missed[key] = (text, value)
    kept.seen[key] = text
    st.session_state[key] = value
    return value


def follow(key: str, default: Any) -> None:
    """Before `seed`: let a widget that stands at its default, which has changed since, stand at the new one.

    Such a default rests on what is shown, or on what is known so far, and nobody has chosen the old one.
    """
    kept = _kept()
    before = kept.defaults.get(key, default)
    kept.defaults[key] = default
    if before != default and st.session_state.get(key, kept.remembered.get(key, default)) == before:
        st.session_state[key] = default


def missed(key: str) -> str | None:
    """What the address has asked for and is not to be had, as long as what stands there instead is not changed."""
    text, instead = _kept().missed.get(key, (None, None))
    return text if text is not None and st.session_state.get(key) == instead else None


def known(key: str) -> bool:
    """Whether the address, or this session, has a value for the widget with this key."""
    return key in st.query_params or key in st.session_state or key in _kept().remembered


def publish(key: str, text: str | None) -> None:
    """Remember the choice of the widget with this key, and write it into the address as this text.

    None, for the default, leaves it out and the address short.
    """
    kept = _kept()
    kept.remembered[key] = st.session_state[key]
    before = st.query_params.get(key)
    if before == text:
        return
    kept.written[key, before] = kept.written[key, text] = time.monotonic()
    kept.seen[key] = text
    if text is None:
        del st.query_params[key]
    else:
        st.query_params[key] = text


@dataclass
class _Kept:
    """What a session keeps, under the keys of widgets.

    `remembered` is the last choice: Streamlit forgets a widget's value when its page is left. `seen` is the address's
    text as this session last saw or wrote it. `written` tells when the session wrote or replaced a text: until the
    browser has heard of it, the old one may come back. `missed` has the address's texts that were not valid, and what
    was taken instead. `defaults` are those that widgets had last (`follow`).
    """

    remembered: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, str | None] = field(default_factory=dict)
    written: dict[tuple[str, str | None], float] = field(default_factory=dict)
    missed: dict[str, tuple[str, Any]] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)

    def is_news(self, key: str, text: str) -> bool:
        """Whether the reader has changed the address, by a link or by hand, since this session last looked or wrote."""
        echo = time.monotonic() - self.written.get((key, text), -ECHO_SECONDS) < ECHO_SECONDS
        return text != self.seen.get(key) and not echo


def _kept() -> _Kept:
    # In one object: looking into Streamlit's state is what takes the time here, and a page has thirty controls.
    return st.session_state.setdefault("address", _Kept())
