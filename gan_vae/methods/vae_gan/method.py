"""VAE-GAN: a VAE whose decoder is a GAN's generator, and D its measure of likeness.

  L_prior = KL(q(z | x) || N(0, I)),    L_llike = 1/2 |Dis_l(x) - Dis_l(x~)|^2,
  L_GAN   = s(-D(x)) + s(D(x~)) + s(D(x_p)),    s = softplus, D a logit,

x~ = G(z) of z from q(z | x), x_p = G(z_p) of z_p from N(0, I), Dis_l features of D:

  min_E  L_prior + L_llike      min_G  gamma L_llike + L_G      min_D  L_GAN
  L_G     = -L_GAN  (saturating, the paper's)  or  s(-D(x~)) + s(-D(x_p))

Larsen et al. 2016, arXiv:1512.09300, algorithm 1: one batch, all three at once, each
with its own optimiser. Sums over units, means over the batch; up to a constant, L_llike
is -log of a Gaussian of unit variance. As in the authors' code G sees z and z_p in one
batch, and D sees x, x~ and x_p in one (of which BatchNorm takes its statistics), and G
and D may wait for each other (`learning`). For few pictures, D may see them all changed
by DiffAugment (Zhao et al. 2020, arXiv:2006.10738), x and its x~ alike. There is no
likelihood of pixels, and so no log_prob.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax.nn import softplus

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, normals, purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import contract, latents
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import game, networks
from gan_vae.methods.vae_gan import Networks, Settings
from gan_vae.objectives import augment, bounds

NETWORKS = ('encoder', 'generator', 'discriminator')


def gan_loss(real, again, drawn):
    """L_GAN of the logits [B] of images, of reconstructions and of samples."""
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(again) + softplus(drawn))


LOSSES = {  # L_G of the same logits
    'saturating': lambda *logits: -gan_loss(*logits),
    'non_saturating': lambda real, again, drawn: jnp.mean(
        softplus(-again) + softplus(-drawn)
    ),
}


def learning(real, fake, equilibrium: float, margin: float):
    """Whether G and whether D learns, at D's mean costs of real and of fake, in nats.

    D waits while a cost is below equilibrium - margin, G while one is above equilibrium
    + margin; where both would wait both learn, so that no step changes neither. In the
    authors' code (0.68 and 0.35 or 0.4), not in the paper.
    """
    d_waits = jnp.minimum(real, fake) < equilibrium - margin
    g_waits = jnp.maximum(real, fake) > equilibrium + margin
    return ~g_waits | d_waits, ~d_waits | g_waits


@dataclass(frozen=True)
class VAEGAN:
    """What the one update of E, G and D takes."""

    encode: Callable  # (params, variables, x) -> ((mean, log variance), new variables)
    networks: networks.Pair
    augment: Callable
    generator_loss: Callable  # L_G of three sets of logits
    gamma: float
    balance: tuple[float, float] | None  # equilibrium and margin, in nats
    descent: descents.Descent


def gradient(model: VAEGAN, state: TrainState, params, variables, rows):
    """(gradients, (new variables, metrics)) of means over rows: x, and keys.

    Each network once forward. Back through D for each network's loss, and through G for
    its own and for E's, which has nothing of L_G.
    """
    x, *keys = rows
    n = len(x)

    def code(e):
        q, after = model.encode(e, variables['encoder'], x)
        z = bounds.sample_gaussian(normals(keys[0], (model.networks.prior.size,)), *q)
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        return (z, jnp.mean(kl)), after

    def create(g, z):
        both = jnp.concatenate([z, model.networks.prior.draw(keys[1])])
        return model.networks.generate(g, variables['generator'], both, None)

    def compare(d, images):
        change = jnp.concatenate([keys[2], keys[2], keys[3]])
        images = model.augment(change, jnp.concatenate([x, images]))
        dropout = step_key(state, 'dropout')
        verdict, after = model.networks.judge(
            d, variables['discriminator'], images, None, dropout, None
        )
        real, again, drawn = verdict.logits.reshape(3, n)
        features = verdict.auxiliary[:n] - verdict.auxiliary[n : 2 * n]
        llike = jnp.mean(0.5 * jnp.sum(jnp.square(features), -1))
        cost_real = jnp.mean(softplus(-real))
        loss_d = gan_loss(real, again, drawn)
        loss_g = model.generator_loss(real, again, drawn)
        metrics = {
            'reconstruction': llike,
            'loss_d': loss_d,
            'loss_g': model.gamma * llike + loss_g,
            'cost_real': cost_real,
            'cost_fake': (loss_d - cost_real) / 2,
            'accuracy_real': jnp.mean(1.0 * (real > 0)),
            'accuracy_fake': jnp.mean(1.0 * (verdict.logits[n:] < 0)),
        }
        return (llike, loss_d, loss_g), (after, metrics)

    (z, kl), back_e, after_e = jax.vjp(code, params['encoder'], has_aux=True)
    images, back_g, after_g = jax.vjp(create, params['generator'], z, has_aux=True)
    _, back_d, (after_d, metrics) = jax.vjp(
        compare, params['discriminator'], images, has_aux=True
    )
    one, none = jnp.ones(()), jnp.zeros(())
    of_d, _ = back_d((none, one, none))
    of_g, _ = back_g(back_d((model.gamma * one, none, one))[1])
    _, of_z = back_g(back_d((one, none, none))[1])
    (of_e,) = back_e((of_z, one))
    grads = dict(zip(NETWORKS, (of_e, of_g, of_d), strict=True))
    after = dict(zip(NETWORKS, (after_e, after_g, after_d), strict=True))
    return grads, (after, metrics | {'kl': kl})


def train_step(model: VAEGAN, state: TrainState, batch):
    """(state, metrics) after one update of the networks that learn."""
    descent = model.descent
    index = example_indices(len(batch['image']), descent.axis_name)
    purposes = 'posterior', 'prior', 'augment_pair', 'augment_drawn'
    keys = [keys_of(step_key(state, p), index) for p in purposes]
    grads, variables, metrics = descent.gradients(
        partial(gradient, model, state),
        state.params,
        state.variables,
        (batch['image'], *keys),
    )
    learns = {}
    if model.balance:
        costs = metrics['cost_real'], metrics['cost_fake']
        learns_g, learns_d = learning(*costs, *model.balance)
        learns = {'generator': learns_g, 'discriminator': learns_d}
        metrics |= {f'learns_{n[0]}': 1.0 * flag for n, flag in learns.items()}
    for name in NETWORKS:
        state, update = descent.update(
            state, name, grads[name], f'_{name[0]}', learns.get(name)
        )
        metrics |= update
    state = state.replace(variables=variables)
    values = {n: {'params': state.params[n], **variables[n]} for n in NETWORKS}
    return descent.advance(state, values), metrics


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    if model.discriminator != 'vae_gan':
        raise UserError(
            f'config.model.discriminator={model.discriminator} has no features to '
            'compare images by: take vae_gan'
        )
    prior = latents.make(model.latent_dim)
    pair = networks.make(
        model, prior, settings.sampling_statistics, learning, spec, axis_name
    )
    if pair.classes:
        raise UserError(
            f'config.model.generator={model.generator} takes classes, and the method '
            'vae_gan has none: take vae_gan or dcgan'
        )
    encoder = models.make(
        'encoder',
        model.encoder,
        image_size=spec.height,
        width=model.width,
        latent_dim=model.latent_dim,
        axis_name=axis_name,
        dtype=jnp.dtype(learning.dtype),
    )
    learners = {name: optimizers.make(learning) for name in NETWORKS}
    of_d = optimizers.of_discriminator(learning.optimizer)
    learners['discriminator'] = optimizers.make(learning, *of_d)
    margin, equilibrium = settings.balance_margin, settings.balance_equilibrium
    own = VAEGAN(
        encode=recomputed(learning.remat)(partial(networks.train, encoder)),
        networks=pair,
        augment=augment.make(settings.augment),
        generator_loss=LOSSES[settings.loss],
        gamma=settings.reconstruction_weight,
        balance=(equilibrium, margin) if margin else None,
        descent=descents.make(learners, settings, learning, axis_name),
    )

    def init(key) -> TrainState:
        *keys, key = (purpose_key(key, p) for p in (*NETWORKS, 'run'))
        variables = {'encoder': encoder.init(keys[0], jnp.zeros((1, *spec.shape)))}
        variables |= pair.init(*keys[1:])
        averaged = {name: dict(v) for name, v in variables.items()}
        params = {name: v.pop('params') for name, v in variables.items()}
        return own.descent.init(key, params, averaged, variables)

    def posterior(weights, images, condition=None):
        """Mean and log variance [B, D] of q(z | x)."""
        return encoder.apply(weights.averaged['encoder'], images)

    def evaluate_step(state, batch):
        """Of the averaged networks: the KL, the error of pixels in [-1, 1] of decoded
        posterior means, and D's accuracy on images, on these and on samples.
        """
        x, d, g = batch['image'], state.ema['discriminator'], state.ema['generator']
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        mean, log_variance = posterior(state.weights(), x)
        again = pair.generate_eval(g, mean)
        drawn = pair.generate_eval(g, prior.draw(keys))
        real, *fake = (pair.judge_eval(d, i, None).logits for i in (x, again, drawn))
        values = {
            'pixel_mse': jnp.mean(jnp.square(x - again), (1, 2, 3)),
            'kl': jnp.sum(bounds.kl_to_standard_normal(mean, log_variance), -1),
            'accuracy_real': 1.0 * (real > 0),
            'accuracy_reconstruction': 1.0 * (fake[0] < 0),
            'accuracy_fake': 1.0 * (fake[1] < 0),
        }
        return contract.sums(values, batch['mask'])

    encode = contract.mean_of(posterior)
    return Method(
        objective=_objective(settings),
        init=init,
        train_step=partial(train_step, own),
        evaluate_step=evaluate_step,
        **game.sampling(pair, posterior=posterior, encode=encode),
    )


def _objective(settings: Settings) -> str:
    more = ''
    if margin := settings.balance_margin:
        more = f'; balanced to {settings.balance_equilibrium:g} +- {margin:g} nats'
    if settings.augment:
        more += f'; augment {settings.augment}'
    return (
        f'vae_gan: E KL + L_llike, G {settings.reconstruction_weight:g} L_llike + '
        f'{settings.loss} L_G, D L_GAN of x, G(z), G(z_p), nats per example; L_llike: '
        f'unit Gaussian of features of D{more}'
    )
