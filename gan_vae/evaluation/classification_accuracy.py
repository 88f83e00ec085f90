"""Classification accuracy score: what a classifier learns from generated pictures.

    CAS = mean_i 1[argmax_c f(x_i)_c = y_i],  (x_i, y_i) real,  f trained on samples

Low where samples have the wrong class, are unlike the real ones or lack variety: Ravuri
& Vinyals 2019, arXiv:1905.10887. Their f is a ResNet-50 on ImageNet; ours is the small
one of extractors/classifier.py, so the figures are not theirs to compare with.
"""

import hashlib
import json
from collections.abc import Callable

import numpy as np

from gan_vae.data.source import Examples
from gan_vae.evaluation.found import LEAST, Found, some
from gan_vae.extractors import classifier


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


def find(
    real: Examples, made: Examples, seed: int, once: Callable
) -> tuple[Found, dict[str, Found]]:
    """The score, and that of each class; its null is one draw of the reference."""
    size, count = len(real.images), len(made.images)
    null_n = min(count, size // 2)

    def of_real():
        order = some(size, size, seed + 1)
        return accuracies(real.take(order[:null_n]), real.take(order[null_n:]))

    null = once(null_n, of_real) if null_n >= LEAST else {}
    scores = accuracies(made, real)

    def found(name, n_real, n_fake):
        nulls = [{'cas': null[name]}] if name in null else []
        return Found({'cas': scores[name]}, nulls, [], n_real, n_fake, null_n)

    parts = {}
    for label, name in enumerate(real.class_names):
        if name in scores:
            sizes = [
                int(np.sum(labels == label)) for labels in (real.labels, made.labels)
            ]
            parts[name] = found(name, *sizes)
    return found('', size, count), parts


def about() -> dict[str, str]:
    """What cards say of the classifier."""
    recipe = json.dumps(classifier.RECIPE, sort_keys=True)
    return {
        'extractor': 'classifier trained on the samples',
        'weights_sha256': hashlib.sha256(recipe.encode()).hexdigest(),
        'resize': f'torch {classifier.SIZE}',
        'note': 'our small classifier by its RECIPE (the hash), not the ResNet-50 of '
        'published scores',
    }
