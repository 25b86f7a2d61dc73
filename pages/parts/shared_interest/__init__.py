"""Shared Interest over an image set: settings, scores, cases, gallery and the views on them."""
