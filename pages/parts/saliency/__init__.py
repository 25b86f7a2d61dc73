"""The parts of the saliency comparison."""
