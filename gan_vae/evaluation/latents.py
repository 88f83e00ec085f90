"""What a posterior says of x: active units, KL per unit, and collapse.

Of q(z | x) = N(mean, diag exp(log_variance)) over a split,

  A_u = Var_x(mean_u), active above 0.01                   Burda et al. 2016,
  KL_u = E_x KL(q(z_u | x) || N(0, 1))                       arXiv:1509.00519
  I(x; z) <= H(N(m, C)) - E_x H(q(z | x))
           = 1/2 log det C - 1/2 E_x sum_u log_variance_u

with m, C the mean and covariance of the aggregate posterior E_x q(z | x): of all laws
with that covariance the Gaussian has the most entropy, so the right side is exact where
the aggregate is Gaussian, and never above sum_u KL_u. All in nats and float64.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from gan_vae import arrays
from gan_vae.errors import UserError

LEAST = 0.1  # nats of a picture, below which latents tell nothing


def active_units(mean, threshold: float = 0.01) -> np.ndarray:
    """bool [D]: variance over the data of posterior means [n, D] above `threshold`."""
    return np.asarray(mean, np.float64).var(0) > threshold


def kl_per_unit(mean, log_variance) -> np.ndarray:
    """E_x KL(q(z_u | x) || N(0, 1)) [D] in nats, from posteriors [n, D]."""
    return _kl(*_posteriors(mean, log_variance)).mean(0)


def collapsed(batches: Iterable, threshold: float = 0.01) -> dict:
    """The alarm for posterior collapse, from batches of (mean, log_variance) [b, D].

    'active_units' and 'inactive_share' by variance above `threshold`,
    'low_kl_share' (units with KL below 0.01 nats), 'kl' (total, nats per example),
    'mutual_information_at_most' (nats), and 'collapsed': no unit is active, or z can
    tell less than 0.1 nats of x, however large the KL. Raises UserError without data.
    """
    batches = list(batches)
    if not batches:
        raise UserError('no posteriors to look for collapse in: the split is empty')
    parts = (np.concatenate(part) for part in zip(*batches, strict=True))
    mean, log_variance = _posteriors(*parts)
    deviation = mean - mean.mean(0)
    covariance = deviation.T @ deviation / len(mean)
    kl = _kl(mean, log_variance).mean(0)
    active = int(np.sum(np.diag(covariance) > threshold))
    aggregate = covariance + np.diag(np.exp(log_variance).mean(0))
    entropy = np.linalg.slogdet(aggregate)[1]
    information = max(0.0, 0.5 * (entropy - log_variance.mean(0).sum()))
    return {
        'active_units': active,
        'inactive_share': 1 - active / len(kl),
        'low_kl_share': float(np.mean(kl < 1e-2)),
        'kl': float(kl.sum()),
        'mutual_information_at_most': float(information),
        'collapsed': bool(active == 0 or information < LEAST),
    }


def alarm(values: Mapping[str, float]) -> str:
    """What is to be said of held-out values {'eval/kl': nats, ...}; '' if nothing is.

    I(x; z) is at most the KL, so that a small KL alone is a collapse too.
    """
    kl = values.get('eval/kl', LEAST)
    if not (0 <= kl < LEAST or values.get('eval/collapsed')):
        return ''
    return (
        f'the posterior has collapsed: the latents tell less than {LEAST:g} nats of an '
        'example. What keeps them in use: a smaller config.method.beta, '
        'beta_warmup_steps, free_bits'
    )


def _posteriors(mean, log_variance):
    mean = arrays.vectors(mean, 'posterior means')
    log_variance = arrays.vectors(log_variance, 'posterior log-variances')
    if mean.shape != log_variance.shape:
        raise UserError(
            f'posteriors of shapes {mean.shape} and {log_variance.shape}: means and '
            'log-variances must both be [n, D]'
        )
    return mean, log_variance


def _kl(mean, log_variance):
    return 0.5 * (mean**2 + np.expm1(log_variance) - log_variance)


COLUMNS, UNITS = 10, 16
VALUES = np.linspace(-3, 3, COLUMNS)  # of a unit whose prior is N(0, 1)


def along(z: np.ndarray, units, values: np.ndarray) -> np.ndarray:
    """[len(units), len(values), D]: copies of z [D], one of its units at each value."""
    copies = np.tile(z, (len(units), len(values), 1))
    for row, unit in enumerate(units):
        copies[row, :, unit] = values
    return copies


def by_kl(kl: np.ndarray) -> np.ndarray:
    """The first UNITS units by their KL [D] to the prior, that with the most first."""
    return np.argsort(-kl, kind='stable')[:UNITS]
