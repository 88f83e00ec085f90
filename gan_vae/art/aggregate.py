"""What a VAE's codes are like: a Gaussian mixture fitted to its aggregate posterior.

The decoder has learned from z of q(z) = E_x q(z | x): samples decoded from z of a
mixture m fitted to q(z) show what it has learned (Ghosh et al. 2020, arXiv:1903.12436).
m is of the active units alone, the others keep the prior. How far the prior is from
q(z) is reported:

  KL(q(z) || p(z)) >= E_q(z)[log m(z) - log p(z)]   for any density m

is the mismatch, in nats, taken on codes that m was not fitted to.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from gan_vae import modules
from gan_vae.art.tools import Model
from gan_vae.errors import UserError
from gan_vae.evaluation import latents
from gan_vae.methods.contract import required
from gan_vae.objectives.bounds import LOG_VARIANCE
from gan_vae.runs import seen

FITTED = 10_000  # training images, at most, whose codes a mixture is fitted to
COMPONENTS = (1, 4, 16, 64)  # chosen on codes that are held out


class Mixture(NamedTuple):
    """sum_k weights[k] N(means[k], factors[k] factors[k]^T) of A active units of D."""

    active: np.ndarray  # bool [D]
    weights: np.ndarray  # [K]
    means: np.ndarray  # [K, A]
    factors: np.ndarray  # [K, A, A], lower triangular
    mismatch: float  # nats, a lower bound of KL(q(z) || N(0, I))
    error: float  # its standard error


SKLEARN = 'sklearn.mixture', '--latents=aggregate', 'scikit-learn', 'metrics'


def of_model(model: Model, seed: int) -> tuple[Mixture, int]:
    """The Mixture of a model's codes of its training images, and of how many."""
    method = model.method
    required(method, 'latents.posterior', '--latents=aggregate')
    modules.optional(*SKLEARN)  # an error before the work
    posterior, settings = jax.jit(method.latents.posterior), model.config.data
    batches = seen.seen(settings, settings.split, FITTED, seed)
    batches = seen.of_method(method, batches)
    z, means = codes(partial(posterior, model.weights), batches, seed)
    return fit(z, means, seed), len(z)


def codes(posterior: Callable, batches: Iterable, seed: int):
    """One z of q(z | x) for each image, and the means: two of [n, D], float64.

    posterior: images, labels or None -> mean, log variance [B, D].
    """
    rng, parts = np.random.default_rng(seed), []
    for batch in batches:
        mean, log_variance = (np.asarray(a, np.float64) for a in posterior(*batch))
        deviation = np.exp(0.5 * np.clip(log_variance, *LOG_VARIANCE))
        z = mean + deviation * rng.standard_normal(mean.shape)
        parts.append((z, mean))
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def fit(z: np.ndarray, means: np.ndarray, seed: int = 0) -> Mixture:
    """The Mixture of codes [n, D]: of COMPONENTS, the number that is best on a third
    that is held out.

    means: of the posteriors, which show the active units. A UserError without
    scikit-learn or active units, and for fewer codes than 3 (A + 1).
    """
    mixtures = modules.optional(*SKLEARN)
    active = latents.active_units(means)
    if not active.any():
        raise UserError('--latents=aggregate: the posterior has collapsed on the prior')
    z = z[:, active]
    n, size = z.shape
    if n < 3 * (size + 1):
        raise UserError(
            f'--latents=aggregate: {n} images are too few for a mixture in '
            f'{size} dimensions, which takes {3 * (size + 1)}'
        )
    order = np.random.default_rng(seed).permutation(n)
    held_out, known = z[order[: n // 3]], z[order[n // 3 :]]
    best = max(
        (
            mixtures.GaussianMixture(k, random_state=seed, reg_covar=1e-4).fit(known)
            for k in COMPONENTS
            if k == 1 or k * (size + 1) <= len(known)
        ),
        key=lambda mixture: mixture.score(held_out),
    )
    prior = -0.5 * (held_out**2 + np.log(2 * np.pi)).sum(1)
    ratio = best.score_samples(held_out) - prior
    return Mixture(
        active=active,
        weights=best.weights_,
        means=best.means_,
        factors=np.linalg.cholesky(best.covariances_),
        mismatch=float(ratio.mean()),
        error=float(ratio.std() / np.sqrt(len(ratio))),
    )


def draw(mixture: Mixture, seed: int, num: int, temperature: float = 1.0) -> np.ndarray:
    """z [num, D] float32; row i is the same for any `num`.

    temperature: factor of the deviations within a component.
    """
    size, rows = len(mixture.active), []
    for i in range(num):
        rng = np.random.default_rng((seed, i))
        k = rng.choice(len(mixture.weights), p=mixture.weights)
        z = temperature * rng.standard_normal(size)
        z[mixture.active] = mixture.means[k] + mixture.factors[k] @ z[mixture.active]
        rows.append(z)
    return np.asarray(rows, np.float32)
