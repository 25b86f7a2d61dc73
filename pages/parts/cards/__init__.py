"""Pictures in a page: cards, galleries, and one image large."""
