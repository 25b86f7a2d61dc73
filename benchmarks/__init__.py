"""Speed against peers and under load, in ratios and percentiles. Nothing here is part of the app."""
