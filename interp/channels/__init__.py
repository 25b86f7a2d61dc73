"""Which channels argue for a class, where, what they really do, and what they are made of.

by_channel = channels.attribute(classifier, batch, targets, layer="features.12")
by_channel.values, by_channel.by_position
"""

from interp.channels.attribution import ChannelAttribution, attribute
from interp.channels.between import Between, Contributions, between, stations
from interp.channels.cells import CellGrid, cells
from interp.channels.effects import Compared, Effects, compared, effects
from interp.channels.flow import Flow, FlowColumn, flow
from interp.channels.groups import GroupEffects, Groups, group_effects, groups

__all__ = [
    "Between",
    "CellGrid",
    "ChannelAttribution",
    "Compared",
    "Contributions",
    "Effects",
    "Flow",
    "FlowColumn",
    "GroupEffects",
    "Groups",
    "attribute",
    "between",
    "cells",
    "compared",
    "effects",
    "flow",
    "group_effects",
    "groups",
    "stations",
]
