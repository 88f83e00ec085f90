"""Classification accuracy score: what a classifier learns from generated pictures.

    CAS = mean_i 1[argmax_c f(x_i)_c = y_i],  (x_i, y_i) real,  f trained on samples

Low where samples have the wrong class, are unlike the real ones or lack variety: Ravuri
& Vinyals 2019, arXiv:1905.10887. Their f is a ResNet-50 on ImageNet; ours is the small
one of extractors/classifier.py, so the figures are not theirs to compare with.
"""

import hashlib
import json

import numpy as np

from gan_vae.data.source import Examples
from gan_vae.evaluation.extractors import classifier

NOTE = (
    'our small classifier by its RECIPE, trained on the samples: not the ResNet-50 of '
    'published scores'
)


def accuracies(train: Examples, test: Examples) -> dict[str, float]:
    """{'': accuracy, class: accuracy of it} on `test` of a classifier of `train`.

    Both labelled by the same class_names; classes without pictures in `test` are left
    out. Training takes up to a minute on two cores.
    """
    params = classifier.fit(train, len(test.class_names))
    right = classifier.predict(params, test.images) == test.labels
    by_class = {
        name: float(right[test.labels == label].mean())
        for label, name in enumerate(test.class_names)
        if np.any(test.labels == label)
    }
    return {'': float(right.mean())} | by_class


def recipe_sha256() -> str:
    """Of all that the classifier depends on besides its data."""
    text = json.dumps(classifier.RECIPE, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
