"""Figures of Shared Interest: how scores are spread, how cases hang on thresholds, and where they move."""

from interp.figures.interest.cutting import count_chart, sweep_chart
from interp.figures.interest.flows import sankey
from interp.figures.interest.frame import COLOURS
from interp.figures.interest.spread import case_bars, class_spread, confusion_map, histogram

__all__ = ["COLOURS", "case_bars", "class_spread", "confusion_map", "count_chart", "histogram", "sankey", "sweep_chart"]
