"""What a way to learn gives to the loop, the evaluation and the art tools."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Coder(NamedTuple):
    """A trained VAE as a codec walks it: groups of latents from the top to the pixels.

    Gaussians are (mean, log variance) [B, D_l], D_l flat. Pure functions of arrays.
    """

    groups: int
    features: Callable  # images [B, H, W, C] -> what the posteriors need of them
    start: Callable  # B -> carry, above the first group
    prior: Callable  # (l, carry) -> p(z_l | z_<l)
    posterior: Callable  # (l, carry, features) -> q(z_l | z_<l, x)
    descend: Callable  # (l, carry, z_l) -> carry, below that group
    outputs: Callable  # carry after the last -> what the likelihood takes
    likelihood: Any  # objectives.likelihoods.Likelihood
    params: Any  # its own


class Method(NamedTuple):
    """What the loop, the evaluation and the art tools know of a way to learn.

    Steps run per device, on float32 images in [-1, 1] under batch['image'], and average
    over the mapped axis that `make` was given. From `encode` on, they are None where
    the family lacks them.
    """

    objective: str  # what is minimised, as a formula with its units
    init: Callable  # (rng) -> TrainState
    train_step: Callable  # (state, batch) -> (state, {name: scalar})
    evaluate_step: Callable  # (state, batch with 'mask') -> {name: sum}, and 'count'
    sample: Callable  # (state, rng, n, condition=None) -> images [n, H, W, C]
    evaluates_averages: bool = True  # evaluate_step, of weights; else it takes the last
    updates_per_step: int = 1  # batches of config.data.batch_size in one train_step
    classes: int = 0  # that `condition`, int [n], counts from 0; None: each in turn
    # (state) -> state, once before sampling: batch statistics made anew, or as they are
    settled: Callable = lambda state: state
    diagnose: Callable | None = None  # (state) -> {name: scalar}, of its weights
    # (state, rng, n, temperature, condition=None) -> images: deviations of the latents
    # times the temperature
    tempered: Callable | None = None
    prior: Callable | None = None  # (rng, n, truncation=None) -> latents [n, D]
    # how many of the D are of each group, coarse to fine; none: all are of one
    groups: tuple[int, ...] = ()
    # (state, images, condition=None) -> latents [B, D]; the classes if it has some
    encode: Callable | None = None
    decode: Callable | None = None  # (state, latents, condition=None) -> images
    log_prob: Callable | None = None  # (state, rng, images) -> bound [B] in nats
    # (state, rng, images) -> log p(x|z) + log p(z) - log q(z|x) [B] of one draw of z
    log_weight: Callable | None = None
    # (state, images, condition=None) -> mean, log variance [B, D]
    posterior: Callable | None = None
    coder: Callable | None = None  # (state) -> Coder
    # of sequences, whose samples and images are data.sequences.Padded:
    # (state, rng, begun or None, n, temperature) -> Padded of n that go on from there
    complete: Callable | None = None
    # (state, examples) -> examples made of them, where no latent is of the whole
    reconstruct: Callable | None = None
    # (state, keys [B], Padded, particles, threshold) -> log p^ [B] of a particle filter
    evidence_bound: Callable | None = None
