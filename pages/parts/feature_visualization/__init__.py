"""The parts of the feature visualization page."""
