"""The parts of the embedding explorer."""
