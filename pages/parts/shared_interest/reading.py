"""How to read the page: scores, cases, and where they mislead."""

from __future__ import annotations

from pages.parts.shared_interest import annotating, probing, views

TEXT = r"""
**Shared Interest** (Boggust, Hoover, Satyanarayan and Strobelt 2022) holds what people marked in an image, the
annotation $G$, against what a heatmap singles out, the saliency $S$:

$$ \text{IoU} = \frac{|G \cap S|}{|G \cup S|} \qquad \text{GTC} = \frac{|G \cap S|}{|G|} \qquad
\text{SC} = \frac{|G \cap S|}{|S|} $$

*Ground-truth coverage* (GTC) is the share of the annotation that is salient, *saliency coverage* (SC) the share of the
saliency that is annotated; the continuous one weighs each pixel by the map's magnitude, $\sum G\,|s| / \sum |s|$, and
needs no rule for what is salient. All lie between 0 and 1.

**Whose marks.** Where the marks have names, $G$ is what is marked of the image's own label, as in the paper, also where
another class was predicted: a map that lies on a cat beside the labelled dog scores low. *Of the class explained* holds
each map against the marks of its own class, and *All* against everything marked. What has no name counts for every
class; where no mark of the set is called as any label is, all of an image's marks count.

**The eight cases** ask whether the prediction is right, and how the two areas lie. The first of these that fits counts:
IoU high; SC high and GTC low; GTC high and SC low; IoU low. What fits none is *unclassified*. The authors' demo has
0.20 and 0.65, which leaves most maps of a coarse layer unclassified; the page opens with 0.30 and 0.40, by which the
cases of scenes tell far better what is known of their classifiers. With others, other images change their case:
*Threshold* shows which. Where classes do not exclude each other, the most probable class stands for the prediction, and
is right where it is one of the image's labels.

**Known pitfalls.** The area that is salient comes from the rule at least as much as from the classifier: a map of a
coarse layer cannot be small, and a share of the picture is as large for a beetle as for a whale. A small annotation
makes a high IoU hard. Where the saliency lies on the object, the reason may still be its colour or texture and not its
shape. And a heatmap can be wrong about the classifier: look at the same images under a second method.

*Source:* Boggust et al., Shared Interest: Measuring Human-AI Alignment to Identify Recurring Patterns in Model
Behavior, CHI 2022.
"""


THRESHOLD = """

**Threshold.** An image is *on the edge* where a threshold that moves by less than 0.05 gives it another case. One rule
for all maps is a convention: where most images change their case along the rule's settings, quote the setting with the
counts.
"""
METHODS = """

**Methods.** All maps are of the same classifier and the same images; where cases differ, they differ by the method.
*Random* is noise: it knows nothing of the classifier, and what a method shares with it says nothing either.
"""
CLASSIFIERS = """

**Classifiers.** Each is explained for its own predictions, on the same images with the same annotations. A case may
change because the prediction does, or because the map does: the pictures tell which.
"""


def text(view: str) -> str:
    """What there is to know of the scores and of this view."""
    more = {
        views.THRESHOLD: THRESHOLD,
        views.METHODS: METHODS,
        views.CLASSIFIERS: CLASSIFIERS,
        views.DRAW: annotating.READING,
        views.PROBE: probing.READING,
    }
    return TEXT + more.get(view, "")
