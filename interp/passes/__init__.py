"""Running a network: on images, from a layer on, in windows, without units, with other rules going back."""
