"""Mode coverage by a classifier: which classes do the samples fall into?

  modes     number of classes that at least one sample is taken for
  modes_kl  KL(p_fake(class) || p_real(class)), nats, of the predicted classes

As the number of modes and reverse KL of Stacked MNIST (Metz et al. 2016,
arXiv:1611.02163). Both look at classes alone: blind to blur, noise and copies.
"""

import numpy as np


def modes(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """{'modes', 'modes_kl'} from logits [n, K] of real and generated pictures.

    A class without real pictures counts as one with half a picture, so that the
    divergence stays finite.
    """
    classes = fake.shape[1]
    p, q = (np.bincount(x.argmax(-1), minlength=classes) for x in (fake, real))
    found = int(np.sum(p > 0))
    p, q = p / p.sum(), np.maximum(q, 0.5) / np.maximum(q, 0.5).sum()
    seen = p > 0
    return {
        'modes': float(found),
        'modes_kl': float(np.sum(p[seen] * np.log(p[seen] / q[seen]))),
    }
