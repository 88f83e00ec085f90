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
from gan_vae.evaluation.metrics import HIGHER, SampleMetric


def accuracies(train: Examples, test: Examples) -> dict[str, float]:
    """{'': accuracy, class: accuracy of it} on `test` of a classifier of `train`.

    Both labelled by the same class_names; classes without pictures in `test` are left
    out. Training takes up to a minute on two cores.
    """
    from gan_vae.extractors import classifier

    params = classifier.fit(train, len(test.class_names))
    right = classifier.predict(params, test.images) == test.labels
    by_class = {
        name: float(right[test.labels == label].mean())
        for label, name in enumerate(test.class_names)
        if np.any(test.labels == label)
    }
    return {'': float(right.mean())} | by_class


def compute(real: Examples, fake: Examples, held_out, seed) -> dict[str, float]:
    return {'cas': accuracies(train=fake, test=real)['']}


def compare(real: Examples, fake: Examples, seed: int, remember: Callable):
    """(Comparison, {class: Comparison}); the baseline is one draw of the reference."""
    from gan_vae.evaluation.comparison import LEAST, Comparison, random_rows

    size, count = len(real.images), len(fake.images)
    baseline_n = min(count, size // 2)

    def of_real():
        order = random_rows(size, size, seed + 1)
        return accuracies(real.take(order[:baseline_n]), real.take(order[baseline_n:]))

    baseline = remember(baseline_n, of_real) if baseline_n >= LEAST else {}
    scores = accuracies(fake, real)

    def comparison(name, n_real, n_fake):
        baselines = [{'cas': baseline[name]}] if name in baseline else []
        return Comparison(
            {'cas': scores[name]}, baselines, [], n_real, n_fake, baseline_n
        )

    parts = {}
    for label, name in enumerate(real.class_names):
        if name in scores:
            sizes = [int(np.sum(of.labels == label)) for of in (real, fake)]
            parts[name] = comparison(name, *sizes)
    return comparison('', size, count), parts


def about() -> dict[str, str]:
    """What cards say of the classifier."""
    from gan_vae.extractors import classifier

    recipe = json.dumps(classifier.RECIPE, sort_keys=True)
    return {
        'extractor': 'classifier trained on the samples',
        'weights_sha256': hashlib.sha256(recipe.encode()).hexdigest(),
        'resize': f'torch {classifier.SIZE}',
        'note': 'our small classifier by its RECIPE (the hash), not the ResNet-50 of '
        'published scores',
    }


METRIC = SampleMetric(
    needs='labels',
    compute=compute,
    gives={'cas': HIGHER},
    compare=compare,
    about=about,
)
