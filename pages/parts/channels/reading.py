"""How to read channel attribution."""

READING = (
    "A layer's channels each look for something, at every position of the image. What channel $k$ at position $(u, v)$ "
    "adds to the score $s$ is, to first order (Olah et al. 2018, The Building Blocks of Interpretability):\n\n"
    r"$$ a_{kuv} = A_{kuv} \cdot \frac{\partial s}{\partial A_{kuv}}, \qquad a_k = \sum_{u,v} a_{kuv} $$"
    "\n\n$s$ is the logit of the class, or the difference of two logits. A positive value supports the class, a "
    "negative one opposes it; both are in logits. At a layer that is followed by average pooling and a linear layer "
    "alone, the values sum to the logit minus its bias, exactly, and Grad-CAM is their sum over channels, rectified."
)
