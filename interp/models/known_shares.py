"""What a classifier said of pictures before: where one file of a set changes, the others are not predicted again."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from interp.least_recent import LeastRecent

LARGEST = 64 << 20
"""How many bytes of probabilities are kept in this process."""

Known = tuple[Float[np.ndarray, " k"], tuple[str, ...]]
"""The probabilities of all classes for a picture, and what was guessed or changed in reading it."""

KNOWN = LeastRecent(LARGEST, lambda known: known[0].nbytes)
"""The probabilities of pictures, by what tells a picture and a classifier."""
