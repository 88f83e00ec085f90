"""Generative adversarial networks: a discriminator and a generator in alternation.

  min_D  L_D(D(T(x)), D(T(G(z)))) + gamma/2 E|grad D(x)|^2      critic_steps times, then
  min_G  L_G(D(T(G(z'))))                                     fresh x, z at each update

Goodfellow et al. 2014, arXiv:1406.2661. T is a differentiable augmentation, D sees real
and generated images in separate batches (their BatchNorm statistics stay apart), and
samples come from a moving average of G's weights and batch statistics.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.errors import UserError, unknown
from gan_vae.methods import Method
from gan_vae.objectives import adversarial, augment, penalties
from gan_vae.training import layout as layouts
from gan_vae.training import optimizers
from gan_vae.training.memory import accumulated, recomputed
from gan_vae.training.state import (
    TrainState,
    example_indices,
    keys_of,
    normals,
    purpose_key,
    step_key,
)


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model, optimizer = config.method, config.model, config.optimizer
    fields = {
        'image_size': spec.height,
        'channels': spec.channels,
        'width': model.width,
        'axis_name': axis_name,
        'dtype': jnp.dtype(config.parallel.dtype),
    }
    generator = models.make('generator', model.generator, **fields)
    discriminator = models.make(
        'discriminator', model.discriminator, dropout=model.dropout, **fields
    )
    if method.loss not in adversarial.LOSSES:
        raise unknown('config.method.loss', method.loss, adversarial.LOSSES)
    loss = adversarial.LOSSES[method.loss]
    transform = augment.make(method.augment)
    gamma, critic_steps = method.r1_gamma, method.critic_steps
    latent_dim, ema_decay, steps = (
        model.latent_dim,
        method.ema_decay,
        config.train.steps,
    )
    rate_g = optimizer.learning_rate
    rate_d = optimizer.discriminator_learning_rate or rate_g
    optimizer_g = optimizers.make(optimizer, steps, rate_g)
    optimizer_d = optimizers.make(optimizer, steps * critic_steps, rate_d)
    parallel = config.parallel
    layout = layouts.make(parallel.shard_state, axis_name)
    parts, recompute = parallel.accumulate, recomputed(parallel.remat)
    # a network with dropout takes its examples' indices, which its masks depend on
    drops = 'dropout' in discriminator.__dataclass_fields__

    def init(rng) -> TrainState:
        key_g, key_d, rng = (
            purpose_key(rng, p) for p in ('generator', 'discriminator', 'run')
        )
        g = generator.init(key_g, jnp.zeros((2, latent_dim)))
        d = discriminator.init(key_d, jnp.zeros((2, *spec.shape)))
        split = {'generator': g, 'discriminator': d}
        params = {name: v.pop('params') for name, v in split.items()}
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=rng,
            params=params,
            variables=split,
            opt_state={
                'generator': optimizer_g.init(params['generator']),
                'discriminator': optimizer_d.init(params['discriminator']),
            },
            ema={
                'generator': jax.tree.map(
                    jnp.copy, {'params': params['generator'], **g}
                )
            },
            extra={},
        )

    @recompute
    def generate(params, variables, keys):
        """Images for training, and G's updated batch statistics."""
        z = normals(keys, (latent_dim,))
        variables = {'params': params, **variables}
        return generator.apply(variables, z, train=True, mutable=list(variables))

    @recompute
    def judge(params, variables, images, key, indices):
        """Logits for training, and D's updated variables."""
        variables = {'params': params, **variables}
        logits, variables = discriminator.apply(
            variables,
            images,
            train=True,
            mutable=list(variables),
            rngs={'dropout': key},
            **({'indices': indices} if drops else {}),
        )
        return logits, _without_params(variables)

    def update(optimizer, state, name, grads, variables):
        """One step of one network, with gradients averaged over devices."""
        params, opt_state, norm = layouts.update(
            layout, optimizer, grads, state.opt_state[name], state.params[name]
        )
        return state.replace(
            params=state.params | {name: params},
            variables=state.variables | {name: variables},
            opt_state=state.opt_state | {name: opt_state},
        ), norm

    def discriminator_step(state, real, turn):
        indices = example_indices(len(real), axis_name)
        keys = [keys_of(step_key(state, f'{p} {turn}'), indices) for p in 'zab']
        dropout = [
            step_key(state, f'dropout {p} {turn}') for p in ('real', 'fake', 'r1')
        ]

        def gradient(params, variables, rows):
            real, indices, keys = rows
            before = variables
            fake, _ = generate(
                state.params['generator'], state.variables['generator'], keys[0]
            )

            def objective(params):
                on_real, variables = judge(
                    params, before, transform(keys[1], real), dropout[0], indices
                )
                on_fake, variables = judge(
                    params, variables, transform(keys[2], fake), dropout[1], indices
                )
                value = loss.discriminator(on_real, on_fake)
                penalty = 0.0
                if gamma:

                    def logits(x):
                        return judge(params, variables, x, dropout[2], indices)[0]

                    penalty = penalties.r1(logits, real, gamma)
                metrics = {
                    'loss_d': value,
                    'real': jnp.mean(on_real),
                    'fake': jnp.mean(on_fake),
                }
                return value + penalty, (
                    variables,
                    metrics | ({'r1': penalty} if gamma else {}),
                )

            return jax.grad(objective, has_aux=True)(params)

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params['discriminator'],
            state.variables['discriminator'],
            (real, indices, keys),
        )
        state, norm = update(optimizer_d, state, 'discriminator', grads, variables)
        return state, metrics | {'gradient_d': norm}

    def generator_step(state, n):
        indices = example_indices(n, axis_name)
        keys = [keys_of(step_key(state, f'generator {p}'), indices) for p in 'za']
        dropout = step_key(state, 'generator dropout')

        def gradient(params, variables, rows):
            indices, keys = rows

            def objective(params):
                fake, after = generate(params, variables, keys[0])
                logits, _ = judge(
                    state.params['discriminator'],
                    state.variables['discriminator'],
                    transform(keys[1], fake),
                    dropout,
                    indices,
                )
                value = loss.generator(logits)
                return value, (_without_params(after), {'loss_g': value})

            return jax.grad(objective, has_aux=True)(params)

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params['generator'], state.variables['generator'], (indices, keys)
        )
        state, norm = update(optimizer_g, state, 'generator', grads, variables)
        return state, metrics | {'gradient_g': norm}

    def train_step(state, batch):
        real = batch['image']
        real = real.reshape(-1, critic_steps, *real.shape[1:])
        for turn in range(
            critic_steps
        ):  # unrolled: convolutions in a loop are slow on CPU
            state, metrics_d = discriminator_step(state, real[:, turn], turn)
        state, metrics_g = generator_step(state, len(real))
        now = {'params': state.params['generator'], **state.variables['generator']}
        ema = optimizers.moving_average(
            state.ema['generator'], layout.own(now), state.step, ema_decay
        )
        state = state.replace(step=state.step + 1, ema={'generator': ema})
        return state, _mean(metrics_d | metrics_g, axis_name)

    def evaluate_step(state, batch):
        """Logits of held-out images against the training's: the gap is overfitting."""
        variables = {
            'params': state.params['discriminator'],
            **state.variables['discriminator'],
        }
        logits = discriminator.apply(variables, batch['image'])
        mask = batch['mask']
        sums = {'real': jnp.sum(logits * mask), 'count': jnp.sum(mask)}
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def sample(state, rng, n, condition=None):
        if condition is not None:
            raise UserError('this model is unconditional: it takes no class to sample')
        z = normals(keys_of(rng, jnp.arange(n)), (latent_dim,))
        return decode(state, z)

    def decode(state, latents):
        return generator.apply(state.ema['generator'], latents)

    terms = f'{method.loss} E_x, E_z' + (
        f' + {gamma}/2 E|grad D(x)|^2' if gamma else ''
    )
    return Method(
        objective=f'gan: {terms}, nats per example; {critic_steps} D update(s) per G '
        f'update; augment {method.augment or "none"}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        updates_per_step=critic_steps,
        decode=decode,
    )


def _without_params(variables):
    return {name: v for name, v in variables.items() if name != 'params'}


def _mean(tree, axis_name):
    return tree if axis_name is None else lax.pmean(tree, axis_name)
