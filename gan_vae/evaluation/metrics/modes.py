"""Mode coverage by a classifier: which classes do the samples fall into?

  modes     number of classes that at least one sample is taken for
  modes_kl  KL(p_fake(class) || p_real(class)), nats, of the predicted classes

As the number of modes and reverse KL of Stacked MNIST (Metz et al. 2016,
arXiv:1611.02163). Both look at classes alone: blind to blur, noise and copies.
"""

import numpy as np
from scipy.special import rel_entr

from gan_vae import arrays
from gan_vae.evaluation.metrics import HIGHER, LOWER, SampleMetric


def modes(real, fake) -> dict[str, float]:
    """{'modes', 'modes_kl'} from logits [n, K] of real and generated pictures.

    A class without real pictures counts as one with half a picture, so that the
    divergence stays finite.
    """
    real, fake = arrays.vector_pair(real, fake)
    classes = fake.shape[1]
    p, q = (np.bincount(x.argmax(-1), minlength=classes) for x in (fake, real))
    q = np.maximum(q, 0.5)
    divergence = rel_entr(p / p.sum(), q / q.sum()).sum()
    return {'modes': float(np.sum(p > 0)), 'modes_kl': float(divergence)}


METRIC = SampleMetric(
    needs='logits',
    compute=lambda real, fake, held_out, seed: modes(real, fake),
    gives={'modes': HIGHER, 'modes_kl': LOWER},
)
