"""Concept data sets: folders of masks whose values are numbers of concepts, with lists of their names."""
