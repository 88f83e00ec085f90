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

from functools import partial
from inspect import signature

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import softplus

from gan_vae import models
from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated, recomputed
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, normals, purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import networks as gan_networks
from gan_vae.objectives import augment, bounds

NETWORKS = ('encoder', 'generator', 'discriminator')


def game(real, again, drawn):
    """L_GAN of the logits [B] of images, of reconstructions and of samples."""
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(again) + softplus(drawn))


LOSSES = {  # L_G of the same logits
    'saturating': lambda *logits: -game(*logits),
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


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model, optimizer = config.method, config.model, config.optimizer
    if model.discriminator != 'vae_gan':
        raise UserError(
            f'config.model.discriminator={model.discriminator} tells no features to '
            'compare images by: take vae_gan'
        )
    networks = gan_networks.make(config, spec, axis_name)
    if networks.classes:
        raise UserError(
            f'config.model.generator={model.generator} takes classes, and the method '
            'vae_gan has none: take vae_gan or dcgan'
        )
    if model.latent != 'normal':
        raise UserError(
            f'config.model.latent={model.latent}: the KL of vae_gan is to N(0, I), '
            'take normal'
        )
    encoder = models.make(
        'encoder',
        model.encoder,
        image_size=spec.height,
        width=model.width,
        latent_dim=model.latent_dim,
        axis_name=axis_name,
        dtype=jnp.dtype(config.parallel.dtype),
    )
    if method.loss not in LOSSES:
        raise UserError(
            f'config.method.loss={method.loss}: that of vae_gan is saturating, as '
            'published, or non_saturating'
        )
    fooled = LOSSES[method.loss]
    transform = augment.make(method.augment)
    prior, latent_dim = networks.prior, model.latent_dim
    gamma = method.reconstruction_weight
    margin = method.balance_margin
    if margin:
        equilibrium = method.balance_equilibrium
        if margin >= equilibrium:
            raise UserError(
                f'config.method.balance_margin={margin} is not below '
                f'balance_equilibrium={equilibrium}: no cost is below their difference'
            )
    steps = config.train.steps
    rate_d, betas_d = optimizers.of_discriminator(optimizer)
    learners = {
        n: optimizers.make(optimizer, steps, optimizer.learning_rate)
        for n in ('encoder', 'generator')
    } | {'discriminator': optimizers.make(optimizer, steps, rate_d, betas_d)}
    moving_average = optimizers.averaging(method, config.data.batch_size)
    parallel = config.parallel
    layout, parts = layouts.make(parallel.shard_state, axis_name), parallel.accumulate
    trained = 'train' in signature(encoder.__call__).parameters
    training = {'train': True} if trained else {}

    @recomputed(parallel.remat)
    def encoded(params, variables, x):
        variables = {'params': params, **variables}
        q, after = encoder.apply(variables, x, mutable=list(variables), **training)
        return q, {name: v for name, v in after.items() if name != 'params'}

    def init(rng) -> TrainState:
        *keys, rng = (purpose_key(rng, p) for p in (*NETWORKS, 'run'))
        split = {'encoder': encoder.init(keys[0], jnp.zeros((1, *spec.shape)))}
        split |= networks.init(*keys[1:])
        ema = jax.tree.map(jnp.copy, split)
        params = {name: v.pop('params') for name, v in split.items()}
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=rng,
            params=params,
            variables=split,
            opt_state={n: o.init(params[n]) for n, o in learners.items()},
            ema=ema,
            extra={},
        )

    def train_step(state, batch):
        indices = example_indices(len(batch['image']), axis_name)
        purposes = 'posterior', 'prior', 'augment_pair', 'augment_drawn'
        keys = [keys_of(step_key(state, p), indices) for p in purposes]

        def gradient(params, variables, rows):
            """Each network once forward. Back through D for each network's loss, and
            through G for its own and for E's, which has nothing of L_G.
            """
            x, *keys = rows
            n = len(x)

            def code(e):
                q, after = encoded(e, variables['encoder'], x)
                z = bounds.sample_gaussian(normals(keys[0], (latent_dim,)), *q)
                kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
                return (z, jnp.mean(kl)), after

            def create(g, z):
                both = jnp.concatenate([z, prior.draw(keys[1])])
                return networks.generate(g, variables['generator'], both, None)

            def compare(d, made):
                before = variables['discriminator']
                change = jnp.concatenate([keys[2], keys[2], keys[3]])
                shown = transform(change, jnp.concatenate([x, made]))
                dropout = step_key(state, 'dropout')
                found, after = networks.judge(d, before, shown, None, dropout, None)
                real, again, drawn = found.logits.reshape(3, n)
                features = found.said[:n] - found.said[n : 2 * n]
                llike = jnp.mean(0.5 * jnp.sum(jnp.square(features), -1))
                cost_real = jnp.mean(softplus(-real))
                loss_d, fool = game(real, again, drawn), fooled(real, again, drawn)
                metrics = {
                    'reconstruction': llike,
                    'loss_d': loss_d,
                    'loss_g': gamma * llike + fool,
                    'cost_real': cost_real,
                    'cost_fake': (loss_d - cost_real) / 2,
                    'accuracy_real': jnp.mean(1.0 * (real > 0)),
                    'accuracy_fake': jnp.mean(1.0 * (found.logits[n:] < 0)),
                }
                return (llike, loss_d, fool), (after, metrics)

            (z, kl), back_e, after_e = jax.vjp(code, params['encoder'], has_aux=True)
            made, back_g, after_g = jax.vjp(
                create, params['generator'], z, has_aux=True
            )
            _, back_d, (after_d, metrics) = jax.vjp(
                compare, params['discriminator'], made, has_aux=True
            )
            one, none = jnp.ones(()), jnp.zeros(())
            of_d, _ = back_d((none, one, none))
            of_g, _ = back_g(back_d((gamma * one, none, one))[1])
            _, of_z = back_g(back_d((one, none, none))[1])
            (of_e,) = back_e((of_z, one))
            grads = dict(zip(NETWORKS, (of_e, of_g, of_d), strict=True))
            after = dict(zip(NETWORKS, (after_e, after_g, after_d), strict=True))
            return grads, (after, metrics | {'kl': kl})

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params, state.variables, (batch['image'], *keys)
        )
        if axis_name is not None:
            metrics = lax.pmean(metrics, axis_name)
        learns = {}
        if margin:
            costs = metrics['cost_real'], metrics['cost_fake']
            learns_g, learns_d = learning(*costs, equilibrium, margin)
            learns = {'generator': learns_g, 'discriminator': learns_d}
            metrics |= {f'learns_{n[0]}': 1.0 * told for n, told in learns.items()}
        params, opt_state = {}, {}
        for name, learner in learners.items():
            old = state.params[name], state.opt_state[name]
            *new, norm = layouts.update(layout, learner, grads[name], old[1], old[0])
            if name in learns:
                new = jax.tree.map(partial(jnp.where, learns[name]), new, [*old])
            params[name], opt_state[name] = new
            metrics |= {f'gradient_{name[0]}': norm}
        now = {n: {'params': params[n], **variables[n]} for n in NETWORKS}
        state = state.replace(
            step=state.step + 1,
            params=params,
            variables=variables,
            opt_state=opt_state,
            ema=moving_average(state.ema, layout.own(now), state.step),
        )
        return state, metrics

    def evaluate_step(state, batch):
        """Of the averaged networks: the KL, the error of pixels in [-1, 1] of decoded
        posterior means, and D's accuracy on images, on these and on samples.
        """
        x, mask = batch['image'], batch['mask']
        d = state.ema['discriminator']
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        mean, log_variance = posterior(state, x)
        again = networks.generated(state.ema['generator'], mean)
        drawn = networks.generated(state.ema['generator'], prior.draw(keys))
        real, *fake = (networks.held(d, i, None).logits for i in (x, again, drawn))
        sums = {
            'pixel_mse': jnp.mean(jnp.square(x - again), (1, 2, 3)),
            'kl': jnp.sum(bounds.kl_to_standard_normal(mean, log_variance), -1),
            'accuracy_real': 1.0 * (real > 0),
            'accuracy_reconstruction': 1.0 * (fake[0] < 0),
            'accuracy_fake': 1.0 * (fake[1] < 0),
        }
        sums = {name: jnp.sum(value * mask) for name, value in sums.items()}
        sums['count'] = jnp.sum(mask)
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def draw_latents(rng, n, truncation=None):
        return prior.draw(keys_of(rng, jnp.arange(n)), truncation)

    def sample(state, rng, n, condition=None):
        return decode(state, draw_latents(rng, n), condition)

    def tempered(state, rng, n, temperature, condition=None):
        return decode(state, temperature * draw_latents(rng, n), condition)

    def posterior(state, images, condition=None):
        """Mean and log variance [B, D] of q(z | x)."""
        return encoder.apply(state.ema['encoder'], images)

    def encode(state, images, condition=None):
        """Means of the posterior."""
        return posterior(state, images)[0]

    def decode(state, latents, condition=None):
        return networks.sample(state.ema['generator'], latents, condition)

    def settled(state):
        key = jax.random.key(0)  # the same latents whoever asks: samples stay the same
        g = networks.settled(state.ema['generator'], key)
        return state.replace(ema=state.ema | {'generator': g})

    if method.sampling_statistics == 'standing':
        settled = jax.jit(settled)
    said = f'; balanced to {equilibrium:g} +- {margin:g} nats' if margin else ''
    if method.augment:
        said += f'; augment {method.augment}'
    return Method(
        objective=f'vae_gan: E KL + L_llike, G {gamma:g} L_llike + {method.loss} L_G, '
        'D L_GAN of x, G(z), G(z_p), nats per example; L_llike: unit Gaussian of '
        f'features of D{said}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        settled=settled,
        tempered=tempered,
        prior=draw_latents,
        encode=encode,
        decode=decode,
        posterior=posterior,
    )
