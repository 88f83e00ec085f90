"""The Vendi score of one set of features: more is more varied, not more real.

  exp(-sum_i l_i log l_i),  l the eigenvalues of K / n,  K_ij = <x_i, x_j> / |x_i| |x_j|

It is the effective number of different elements in the set: 1 for n alike, n for n
orthogonal ones. Friedman & Dieng 2022, arXiv:2210.02410. It grows with n: compare sets
of one size.
"""

import numpy as np
from scipy.special import entr

from gan_vae import arrays
from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import HIGHER, SampleMetric


def vendi_score(features) -> float:
    """The Vendi score, in [1, min(n, d)], of features [n, d] under the cosine kernel.

    From the smaller of K [n, n] and the matrix [d, d] with the same eigenvalues.
    Raises UserError for a feature that is zero, which has no direction.
    """
    x = arrays.vectors(features)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    if not norm.all():
        raise UserError(
            f'feature {int(np.argmin(norm))} is zero: it has no cosine; leave it out'
        )
    x = x / norm
    values = np.linalg.eigvalsh(x @ x.T if len(x) <= x.shape[1] else x.T @ x) / len(x)
    values = np.maximum(values, 0)  # rounding leaves zeros on either side
    return float(np.exp(entr(values).sum()))


METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed: {'vendi': vendi_score(fake)},
    gives={'vendi': HIGHER},
)
