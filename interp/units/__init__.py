"""What one channel does, what all of a layer do, and what happens without them."""
