"""Weights from a file: told by its content, compared with the network before anything large is read."""

from interp.models.checkpoint.filling import Checkpoint, open
from interp.models.checkpoint.matching import TensorMatch
from interp.models.checkpoint.saved import figures, save

__all__ = ["Checkpoint", "TensorMatch", "figures", "open", "save"]
