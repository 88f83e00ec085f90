"""Are the samples of a run copies of its training pictures? For sets of few pictures.

The test of metrics/originality.py takes 99 held-out pictures, and few pictures have
none to spare. Here each training picture stands for a held-out one, by its distance to
the nearest other one. Two that are each other's nearest have one distance, so that of
the ordered distances every second one counts. N samples are nearer to a training
picture than the smallest of these m (of 99 and more, than the r-th), and for new
samples N has nearly the law of that module: a test draws both.

Features are those of the network `random`, which needs no weights. In pixels blurred
samples are nearer to all pictures than pictures are to each other; in these features
they are farther.
"""

import numpy as np

from gan_vae import extractors
from gan_vae.data.sequences import Sequences
from gan_vae.data.source import Examples
from gan_vae.evaluation.manifold import nearest
from gan_vae.evaluation.metrics import originality
from gan_vae.extractors import features

MOST = 1000  # pictures: more are not learned by heart in the time of these runs
LEAST = 16  # samples: of fewer nothing is said
SURE = 0.001  # of a warning's p-value: a run looks many times


def nearness(fake: np.ndarray, *train: np.ndarray) -> dict:
    """As `originality.tested`, of features [n, d] of samples.

    train: features [m, d] of the training pictures, 2 at least, and of those pictures
    as they are augmented, in the same order.
    """
    of_train = [nearest(train[0], t, 1, skip_self=True)[0][:, 0] for t in train]
    of_fake = [nearest(fake, t, 1)[0][:, 0] for t in train]
    real = np.min(of_train, 0)
    distinct = real[real > 0] if real.any() else real
    return originality.tested(np.sort(distinct)[::2], np.min(of_fake, 0))


class Check:
    """Warns once, where samples of a run are copies."""

    def __init__(self, examples: Examples | Sequences, flip: bool, mesh):
        """examples: those trained on; flip: whether they are mirrored too."""
        self._pictures = None
        if isinstance(examples, Examples) and 2 < examples.size <= MOST:
            self._pictures = examples.images
        self._flip, self._mesh = flip, mesh
        self._train: list[np.ndarray] = []

    def warning(self, samples: np.ndarray, step: int) -> str:
        """A line about uint8 samples [n, H, W, C] that are copies, or ''."""
        if self._pictures is None or len(samples) < LEAST:
            return ''
        if not self._train:
            pictures = np.asarray(self._pictures)
            both = [pictures, pictures[:, :, ::-1]][: 1 + self._flip]
            self._train = [self._features(x) for x in both]
        result = nearness(self._features(samples), *self._train)
        if result['p_value'] >= SURE:
            return ''
        self._pictures = None
        count = round(result['share_below_1st_percentile'] * len(samples))
        return (
            f'warning: at step {step} {count} of {len(samples)} samples are nearer to '
            'a training picture than those are to each other: they are copies; stop '
            'here, or give more pictures'
        )

    def _features(self, pictures: np.ndarray) -> np.ndarray:
        network = extractors.load('random')
        return features.extract(network, pictures, self._mesh)['features']
