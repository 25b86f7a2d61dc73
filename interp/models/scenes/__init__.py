"""The bundled classifiers of scenes, whose reasons are known: network, training, and what was measured."""
