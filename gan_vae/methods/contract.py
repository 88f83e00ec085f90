"""What a method gives to the loop, the evaluation and the art tools.

Steps run per device, on float32 images in [-1, 1] under batch['image'] or on sequences.
A capability that a method lacks is None. Everything but the steps takes `Weights`: the
averaged weights of a trained model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from gan_vae.errors import UserError
from gan_vae.learning.state import TrainState, Weights
from gan_vae.methods.captions import Captions


def mean_of_sums(sums: Mapping[str, float]) -> dict[str, float]:
    """{name: sum / count} of sums and their 'count'."""
    return {
        name: float(total / sums['count'])
        for name, total in sums.items()
        if name != 'count'
    }


@dataclass(frozen=True, kw_only=True)
class Styles:
    """What a style-based generator makes of z: styles of its layers, as one vector."""

    groups: tuple[int, ...]  # how many of the numbers are of each layer, coarse to fine
    # (weights, z [n, D], condition=None, truncation=None) -> styles [n, sum of groups];
    # truncation: factor of their distance to the mean style
    map: Callable
    decode: Callable  # (weights, styles, condition=None) -> examples

    @property
    def size(self) -> int:
        """Numbers of all layers."""
        return sum(self.groups)


@dataclass(frozen=True, kw_only=True)
class Latents:
    """z [n, D] <-> examples."""

    groups: tuple[int, ...]  # how many of the D are of each group, coarse to fine
    prior: Callable  # (key, n, truncation=None) -> z
    decode: Callable  # (weights, z, condition=None) -> examples
    # (weights, examples, condition=None) -> mean, log variance [n, D]
    posterior: Callable | None = None
    encode: Callable | None = None  # (weights, examples, condition=None) -> z
    styles: Styles | None = None

    @property
    def size(self) -> int:
        """D."""
        return sum(self.groups)


@dataclass(frozen=True, kw_only=True)
class Codes:
    """Examples <-> maps of symbols of a finite alphabet."""

    shape: tuple[int, int]  # of the map
    size: int  # of the alphabet
    encode: Callable  # (weights, examples) -> int32 [n, *shape]
    decode: Callable  # (weights, int [n, *shape]) -> examples


class Law(NamedTuple):
    """How symbols are drawn of a network's logits; None: as the config says."""

    guidance: float | None = None  # scale of the condition; 1 is the network's own law
    temperature: float | None = None  # the logits are divided by it
    top_k: int | None = None  # only so many of the likeliest; 0 is all
    top_p: float | None = None  # only the likeliest of so much probability; 1 is all


@dataclass(frozen=True, kw_only=True)
class CodePrior:
    """p(codes | words): examples by words, and those that go on from given codes.

    Words are numbers int [n, length], 0 for none: of a caption, or the class + 1.
    """

    # (weights, key, n, words or None, Law, given=None) -> examples; given: (codes
    # [n, h, w], floors [n, h, w] of log p above which each stays: -inf always does)
    draw: Callable
    # (weights, codes [n, h, w], words) -> log p of each code by those before it, nats
    score: Callable | None = None
    any_order: bool = False  # codes may be given anywhere, not only before the others


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


@dataclass(frozen=True, kw_only=True)
class Density:
    """log p(x), in nats per example."""

    elbo: Callable | None = None  # (weights, key, examples) -> [B]
    # (weights, key, examples) -> log p(x|z) + log p(z) - log q(z|x) [B] of one z
    log_weight: Callable | None = None
    # (weights, keys [B], Padded, particles, threshold) -> log p^ [B] of a particle
    # filter
    particle_bound: Callable | None = None
    coder: Callable | None = None  # (weights) -> Coder


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to learn: what the loop needs, and what the trained model can do."""

    objective: str  # what is minimised, as a formula with its weights and units
    init: Callable[[jax.Array], TrainState]
    train_step: Callable  # (state, batch) -> (state, {name: scalar or Occasional})
    # (state, batch with 'mask') -> {name: sum over this device's rows}, and 'count'
    evaluate_step: Callable
    # (weights, key, n, condition=None, temperature=None) -> examples; temperature:
    # factor of the deviations of latents or of steps. None: it draws nothing
    generate: Callable | None = None
    # of one that draws nothing: (weights, examples) -> pictures [B, H, W', C] that show
    # what it makes of held-out examples
    show: Callable | None = None
    # {name: sum over the split} -> {name: metric}: it need not be linear in the sums
    finish: Callable[[Mapping[str, float]], dict[str, float]] = mean_of_sums
    evaluates: Literal['averaged', 'last'] = 'averaged'  # weights, in evaluate_step
    batches_per_step: int = 1  # of config.data.batch_size in one train_step
    private: bool = False  # its updates are those of config.privacy where it is on
    # a state at step 0 whose weights have become those of config.train.init_from
    begin: Callable[[TrainState], TrainState] = lambda state: state
    # () -> digest of the file that training reads beside the data; a UserError where
    # there is none
    depends: Callable[[], str] | None = None
    classes: int = 0  # that `condition`, int [n], counts from 0; None: each in turn
    # of a model of captions: then `condition` is numbers of words, int [n, length]
    captions: Captions | None = None
    # once before sampling: batch statistics made anew, or as they are
    settle: Callable[[Weights], Weights] = lambda weights: weights
    diagnose: Callable | None = None  # (state) -> {name: scalar}, of its weights
    latents: Latents | None = None
    density: Density | None = None
    codes: Codes | None = None
    code_prior: CodePrior | None = None
    text: Any = None  # data.texts.Text of a method of texts: its characters
    # of sequences: (weights, key, prompt: Padded or None, n, temperature) -> Padded
    continuation: Callable | None = None
    translation: Callable | None = None  # (weights, images) -> images
    translates: Literal['any size', 'its size'] = 'its size'  # sides: multiples of 4
    # (weights, images, estimates of them as objectives.estimates.of, mask [B, H, W, 1]
    # of what is seen, told [B, T] as objectives.damage.TOLD) -> images
    restoration: Callable | None = None
    # (weights, examples) -> examples, where no latent is of the whole example
    reconstruct: Callable | None = None


def generator_of(latents: Latents) -> Callable:
    """`Method.generate` of latents: those of the prior times a temperature, decoded."""

    def generate(weights, key, n, condition=None, temperature=None):
        z = latents.prior(key, n)
        if temperature is not None:
            z = temperature * z
        return latents.decode(weights, z, condition)

    return generate


def mean_of(posterior: Callable) -> Callable:
    """`Latents.encode` of `Latents.posterior`: its mean."""

    def encode(weights, examples, condition=None):
        return posterior(weights, examples, condition)[0]

    return encode


def sums(values: Mapping[str, jax.Array], mask: jax.Array, count=None) -> dict:
    """What evaluate_step returns of values [B] of examples, under a mask [B].

    count: of what the metrics are means over; by default of examples.
    """
    totals = {name: jnp.sum(value * mask) for name, value in values.items()}
    return totals | {'count': jnp.sum(mask if count is None else count * mask)}


def psnr(x: jax.Array, again: jax.Array) -> jax.Array:
    """[B] in dB, of images [B, H, W, C] in [-1, 1]; `again` is clipped."""
    error = jnp.mean(jnp.square(x - jnp.clip(again, -1, 1)), (1, 2, 3))
    return 10 * jnp.log10(4 / (error + 1e-10))


def classes_of(settings, spec) -> int:
    """The classes that config.method.conditional asks for, 0 where it does not. A
    UserError where the data have no two."""
    classes = len(spec.class_names) if settings.conditional else 0
    if settings.conditional and classes < 2:
        raise UserError(
            'config.method.conditional=True: the data have no two classes, as a folder '
            'with two subfolders of pictures has'
        )
    return classes


def refuse_condition(condition):
    """A UserError where classes are asked of a model that has none."""
    if condition is not None:
        raise UserError('this model has no classes: it takes none to sample')


def capability(method: Method, path: str) -> Any:
    """What 'latents.encode', 'density.coder', 'translation' ... is; None if absent."""
    value: Any = method
    for name in path.split('.'):
        value = getattr(value, name) if value is not None else None
    return value


NEEDS = {  # in words
    'generate': 'something to draw from, as a GAN, a VAE or a prior has',
    'latents.prior': 'a prior of latents',
    'latents.decode': 'a decoder of latents, as a GAN or a VAE has',
    'latents.posterior': 'a Gaussian of latents, as a VAE with prior=normal has',
    'latents.encode': 'an encoder, as a VAE has',
    'latents.styles': 'a style for each layer, as a stylegan2 has',
    'codes.encode': 'discrete codes, as a vq_vae or a transformer has',
    'code_prior': 'a prior over codes, as a transformer has',
    'code_prior.score': 'a likelihood of each code, as pretrained:prompt_art has',
    'captions': 'captions that it learned from, as pretrained:prompt_art has or a run '
    'with config.data.text',
    'density.elbo': 'a likelihood, as a VAE has',
    'density.log_weight': 'a likelihood of pixels without classes, as a VAE has',
    'density.particle_bound': 'a latent at each step of a sequence, as a VRNN has',
    'density.coder': 'a likelihood of pixels without classes, as a VAE has',
    'continuation': 'sequences that go on from given steps',
    'translation': 'a network from picture to picture, as a pix2pix or a restore has',
    'restoration': 'a network that restores, as a run of configs/restore.py has',
}


def required(method: Method, path: str, what: str) -> Any:
    """A capability; a UserError that `what` needs it, where it is absent."""
    function = capability(method, path)
    if function is None:
        raise UserError(f'{what} needs {NEEDS[path]}, and this model has none')
    return function
