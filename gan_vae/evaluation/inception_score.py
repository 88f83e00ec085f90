"""Inception score: how sharp and how varied the classes of pictures are.

    IS = exp( mean_i KL(p(y | x_i) || p(y)) ),    p(y) = mean_i p(y | x_i)

From 1 (all alike) to the number of classes. Salimans et al. 2016, arXiv:1606.03498.
"""

import numpy as np
from scipy.special import log_softmax, logsumexp

from gan_vae import arrays
from gan_vae.errors import UserError, counted


def inception_score(logits, splits: int = 10, seed: int = 2020) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) over splits of logits [n, classes].

    Conventions of torch-fidelity: shuffled by RandomState(seed), then split into
    consecutive parts of nearly equal size; float64. (It feeds Inception's logits
    without their bias.) A UserError where a split would be empty.
    """
    logits = arrays.vectors(logits, 'logits')
    n = len(logits)
    if not 1 <= splits <= n:
        raise UserError(
            f'{counted(splits, "split")} of {counted(n, "picture")}: '
            'give at least one to each'
        )
    logits = logits[np.random.RandomState(seed).permutation(n)]
    edges = [i * n // splits for i in range(splits + 1)]
    scores = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        log_p = log_softmax(logits[start:stop], axis=1)
        # In logarithms: finite for a class that no picture of the split has.
        log_q = logsumexp(log_p, axis=0) - np.log(stop - start)
        scores.append(np.exp(np.mean(np.sum(np.exp(log_p) * (log_p - log_q), 1))))
    return float(np.mean(scores)), float(np.std(scores))
