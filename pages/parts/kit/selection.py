"""What was chosen for a page: the classifier and the images, with whom to ask for work."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cache
from interp.images import ImageSet
from interp.models import LabelMatch
from interp.types import Classifier


@dataclass(frozen=True)
class Selection:
    """What a page works on: where it asks, the classifier, the images, and their labels as the classifier's classes."""

    scope: cache.Scope
    classifier: Classifier
    photos: ImageSet
    labels: LabelMatch

    def at(self, view: str) -> Selection:
        """The same for a view of the page; what its other views have asked for is stopped."""
        return replace(self, scope=self.scope.at(view).enter())
