"""Units: what one channel of a layer is doing, what all of them are doing, and what happens without them."""
