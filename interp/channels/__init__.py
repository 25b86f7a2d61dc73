"""Which channels argue for a class, where, what they really do, and what they are made of.

by_channel = channels.attribute(classifier, batch, targets, layer="features.12")
by_channel.values, by_channel.by_position
"""

from interp.channels.attribution import ChannelAttribution, attribute
from interp.channels.effects import Compared, Effects, compared, effects

__all__ = ["ChannelAttribution", "Compared", "Effects", "attribute", "compared", "effects"]
