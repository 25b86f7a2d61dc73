"""The parts of the channel attribution page."""
