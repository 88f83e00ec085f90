"""Generative adversarial networks: a discriminator and a generator in alternation.

  min_D  L_D(D(T(x)), D(T(G(z)))) + terms       critic_steps times, then
  min_G  L_G(D(T(G(z')))) + terms               fresh x, z at each update

Goodfellow et al. 2014, arXiv:1406.2661. T is a differentiable augmentation, D sees real
and generated images in separate batches (their BatchNorm statistics stay apart), and
samples come from a moving average of G's weights and batch statistics. The terms
(gradient penalties and other regularisers) are in gan_terms.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.errors import UserError, unknown
from gan_vae.methods import Method, gan_terms
from gan_vae.objectives import adversarial, augment
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
    terms_d = gan_terms.of_discriminator(method)
    terms_g = gan_terms.of_generator(method)
    first_averages, updated_averages = gan_terms.averages(method, axis_name)
    latent_dim, critic_steps = model.latent_dim, method.critic_steps
    steps = config.train.steps
    optimizer_g = optimizers.make(optimizer, steps, optimizer.learning_rate)
    rate_d, betas_d = optimizers.of_discriminator(optimizer)
    if method.penalty:
        rate_d, betas_d = optimizers.lazy(rate_d, betas_d, method.penalty_interval)
    optimizer_d = optimizers.make(optimizer, steps * critic_steps, rate_d, betas_d)
    moving_average = optimizers.averaging(method, config.data.batch_size)
    constrained = gan_terms.constraint(method)
    parallel = config.parallel
    layout = layouts.make(parallel.shard_state, axis_name)
    parts, recompute = parallel.accumulate, recomputed(parallel.remat)
    # a network with dropout takes its examples' indices, which its masks depend on
    drops = 'dropout' in discriminator.__dataclass_fields__
    batches = critic_steps + loss.paired  # of reals: a paired G has its own

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
            extra=dict(first_averages),
        )

    def latents_of(keys):
        return normals(keys, (latent_dim,))

    @recompute
    def generate(params, variables, z):
        """Images for training, and G's updated batch statistics."""
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
        own_keys = {
            n: keys_of(step_key(state, f'{n} {turn}'), indices) for n in terms_d
        }

        def dropout(name):
            return step_key(state, f'dropout {name} {turn}')

        def gradient(params, variables, rows):
            real, indices, keys, own_keys = rows
            before, z = variables, latents_of(keys[0])

            def images(z):
                g = state.params['generator'], state.variables['generator']
                return generate(*g, z)[0]

            fake = images(z)

            def objective(params):
                shown = transform(keys[1], real), transform(keys[2], fake)
                on_real, variables = judge(
                    params, before, shown[0], dropout('real'), indices
                )
                on_fake, variables = judge(
                    params, variables, shown[1], dropout('fake'), indices
                )
                value = loss.discriminator(on_real, on_fake)
                added = {}
                for name, term in terms_d.items():
                    key = dropout(name)

                    def logits(x, key=key):
                        return judge(params, variables, x, key, indices)[0]

                    added[name] = term(
                        gan_terms.Judged(
                            real=real,
                            fake=fake,
                            shown_real=shown[0],
                            shown_fake=shown[1],
                            on_real=on_real,
                            on_fake=on_fake,
                            logits=logits,
                            latents=z,
                            generate=lambda z: transform(keys[2], images(z)),
                            keys=own_keys[name],
                            extra=state.extra,
                            step=state.step,
                            update=critic_steps * state.step + turn,
                        )
                    )
                metrics = {
                    'loss_d': value,
                    'real': jnp.mean(on_real),
                    'fake': jnp.mean(on_fake),
                }
                return value + sum(added.values()), (variables, metrics | added)

            return jax.grad(objective, has_aux=True)(params)

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params['discriminator'],
            state.variables['discriminator'],
            (real, indices, keys, own_keys),
        )
        state, norm = update(optimizer_d, state, 'discriminator', grads, variables)
        params = constrained(state.params['discriminator'])
        state = state.replace(
            params=state.params | {'discriminator': params},
            extra=updated_averages(state.extra, metrics, state.step),
        )
        return state, metrics | {'gradient_d': norm}

    def generator_step(state, real):
        """`real`: images that a paired loss compares with; another reads them not."""
        indices = example_indices(len(real), axis_name)
        keys = [keys_of(step_key(state, f'generator {p}'), indices) for p in 'zab']
        own_keys = {n: keys_of(step_key(state, n), indices) for n in terms_g}
        d = state.params['discriminator'], state.variables['discriminator']

        def gradient(params, variables, rows):
            real, indices, keys, own_keys = rows
            z = latents_of(keys[0])

            def logits(images, keys, purpose):
                dropout = step_key(state, purpose)
                return judge(*d, transform(keys, images), dropout, indices)[0]

            def objective(params):
                fake, after = generate(params, variables, z)
                on_fake = logits(fake, keys[1], 'generator dropout')
                on_real = None
                if loss.paired:
                    on_real = logits(real, keys[2], 'generator dropout real')
                value = loss.generator(on_fake, on_real)
                added = {
                    name: term(
                        gan_terms.Generated(
                            params=params,
                            latents=z,
                            fake=fake,
                            generate=lambda z: generate(params, variables, z)[0],
                            keys=own_keys[name],
                        )
                    )
                    for name, term in terms_g.items()
                }
                metrics = {'loss_g': value} | added
                return value + sum(added.values()), (_without_params(after), metrics)

            return jax.grad(objective, has_aux=True)(params)

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params['generator'],
            state.variables['generator'],
            (real, indices, keys, own_keys),
        )
        state, norm = update(optimizer_g, state, 'generator', grads, variables)
        return state, metrics | {'gradient_g': norm}

    def train_step(state, batch):
        real = batch['image']
        real = real.reshape(-1, batches, *real.shape[1:])
        for turn in range(critic_steps):  # unrolled: see memory.accumulated
            state, metrics_d = discriminator_step(state, real[:, turn], turn)
        state, metrics_g = generator_step(state, real[:, -1])
        now = {'params': state.params['generator'], **state.variables['generator']}
        ema = moving_average(state.ema['generator'], layout.own(now), state.step)
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

    named = ' + '.join([f'{method.loss} E_x, E_z', *terms_d, *terms_g])
    return Method(
        objective=f'gan: {named}, nats per example; {critic_steps} D update(s) per G '
        f'update; augment {method.augment or "none"}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        updates_per_step=batches,
        decode=decode,
    )


def _without_params(variables):
    return {name: v for name, v in variables.items() if name != 'params'}


def _mean(tree, axis_name):
    return tree if axis_name is None else lax.pmean(tree, axis_name)
