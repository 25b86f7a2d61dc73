"""Code that people put beside their weights: imported from its own folder only, and tried in a process of its own."""

from __future__ import annotations

from interp.own_code.code import OwnCode, where
from interp.own_code.rehearsal import Limits, Rehearsal, limits, rehearse

__all__ = ["Limits", "OwnCode", "Rehearsal", "limits", "rehearse", "where"]
