"""Generative adversarial networks: a discriminator and a generator in alternation.

  min_D  L_D(D(T(x)), D(T(G(z)))) + terms       critic_steps times, then
  min_G  L_G(D(T(G(z')))) + terms               fresh x, z at each update

Goodfellow et al. 2014, arXiv:1406.2661. T is a differentiable augmentation, D sees real
and generated images in separate batches (their BatchNorm statistics stay apart), and
samples come from a moving average of G's weights and batch statistics. With classes a
generated image has the class of the real one beside it. The terms (gradient penalties
and other regularisers) are in gan_terms, what the networks take in gan_networks.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated
from gan_vae.errors import unknown
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import networks as gan_networks
from gan_vae.methods.gan import terms as gan_terms
from gan_vae.models import spectral
from gan_vae.objectives import adversarial, augment


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, optimizer = config.method, config.optimizer
    networks = gan_networks.make(config, spec, axis_name)
    prior, generate, judge = networks.prior, networks.generate, networks.judge
    if method.loss not in adversarial.LOSSES:
        raise unknown('config.method.loss', method.loss, adversarial.LOSSES)
    loss = adversarial.LOSSES[method.loss]
    transform = augment.make(method.augment)
    terms_d = gan_terms.of_discriminator(method, networks)
    terms_g = gan_terms.of_generator(method, networks)
    first_averages, updated_averages = gan_terms.averages(method, axis_name)
    critic_steps = method.critic_steps
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
    parts = parallel.accumulate
    batches = critic_steps + loss.paired  # of reals: a paired G has its own

    def init(rng) -> TrainState:
        key_g, key_d, rng = (
            purpose_key(rng, p) for p in ('generator', 'discriminator', 'run')
        )
        split = networks.init(key_g, key_d)
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
                    jnp.copy, {'params': params['generator'], **split['generator']}
                )
            },
            extra=dict(first_averages),
        )

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

    def discriminator_step(state, real, label, turn):
        indices = example_indices(len(real), axis_name)
        keys = [keys_of(step_key(state, f'{p} {turn}'), indices) for p in 'zab']
        own_keys = {
            n: keys_of(step_key(state, f'{n} {turn}'), indices) for n in terms_d
        }

        def dropout(name):
            return step_key(state, f'dropout {name} {turn}')

        def gradient(params, variables, rows):
            real, label, indices, keys, own_keys = rows
            before, z = variables, prior.draw(keys[0])

            def images(z):
                g = state.params['generator'], state.variables['generator']
                return generate(*g, z, label)[0]

            fake = images(z)

            def objective(params):
                shown = transform(keys[1], real), transform(keys[2], fake)
                on_real, variables = judge(
                    params, before, shown[0], label, dropout('real'), indices
                )
                on_fake, variables = judge(
                    params, variables, shown[1], label, dropout('fake'), indices
                )
                value = loss.discriminator(on_real.logits, on_fake.logits)
                added = {}
                for name, term in terms_d.items():
                    key = dropout(name)

                    def logits(x, key=key):
                        found, _ = judge(params, variables, x, label, key, indices)
                        return found.logits

                    added[name] = term(
                        gan_terms.Judged(
                            real=real,
                            fake=fake,
                            shown_real=shown[0],
                            shown_fake=shown[1],
                            on_real=on_real.logits,
                            on_fake=on_fake.logits,
                            said=(on_real.said, on_fake.said),
                            logits=logits,
                            label=label,
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
                    'real': jnp.mean(on_real.logits),
                    'fake': jnp.mean(on_fake.logits),
                } | told_apart(on_real.logits, on_fake.logits)
                return value + sum(added.values()), (variables, metrics | added)

            return jax.grad(objective, has_aux=True)(params)

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params['discriminator'],
            state.variables['discriminator'],
            (real, label, indices, keys, own_keys),
        )
        state, norm = update(optimizer_d, state, 'discriminator', grads, variables)
        params = constrained(state.params['discriminator'])
        state = state.replace(
            params=state.params | {'discriminator': params},
            extra=updated_averages(state.extra, metrics, state.step),
        )
        return state, metrics | {'gradient_d': norm}

    def generator_step(state, real, label):
        """`real`: images that a paired loss compares with; another reads them not."""
        indices = example_indices(len(real), axis_name)
        keys = [keys_of(step_key(state, f'generator {p}'), indices) for p in 'zab']
        own_keys = {n: keys_of(step_key(state, n), indices) for n in terms_g}
        d = state.params['discriminator'], state.variables['discriminator']

        def gradient(params, variables, rows):
            real, label, indices, keys, own_keys = rows
            z = prior.draw(keys[0])

            def verdict(images, keys, purpose):
                dropout = step_key(state, purpose)
                return judge(*d, transform(keys, images), label, dropout, indices)[0]

            def objective(params):
                fake, after = generate(params, variables, z, label)
                on_fake = verdict(fake, keys[1], 'generator dropout')
                on_real = None
                if loss.paired:
                    on_real = verdict(real, keys[2], 'generator dropout real').logits
                value = loss.generator(on_fake.logits, on_real)
                added = {
                    name: term(
                        gan_terms.Generated(
                            params=params,
                            latents=z,
                            fake=fake,
                            label=label,
                            said=on_fake.said,
                            generate=lambda z: generate(params, variables, z, label)[0],
                            keys=own_keys[name],
                        )
                    )
                    for name, term in terms_g.items()
                }
                metrics = {'loss_g': value} | added
                return value + sum(added.values()), (after, metrics)

            return jax.grad(objective, has_aux=True)(params)

        grads, (variables, metrics) = accumulated(gradient, parts)(
            state.params['generator'],
            state.variables['generator'],
            (real, label, indices, keys, own_keys),
        )
        state, norm = update(optimizer_g, state, 'generator', grads, variables)
        return state, metrics | {'gradient_g': norm}

    def train_step(state, batch):
        shown = [batch['image'], batch['label'] if networks.classes else None]
        shown = jax.tree.map(lambda x: x.reshape(-1, batches, *x.shape[1:]), shown)
        turns = [jax.tree.map(lambda x, t=t: x[:, t], shown) for t in range(batches)]
        for turn in range(critic_steps):  # unrolled: see memory.accumulated
            state, metrics_d = discriminator_step(state, *turns[turn], turn)
        state, metrics_g = generator_step(state, *turns[-1])
        now = {'params': state.params['generator'], **state.variables['generator']}
        ema = moving_average(state.ema['generator'], layout.own(now), state.step)
        state = state.replace(step=state.step + 1, ema={'generator': ema})
        return state, _mean(metrics_d | metrics_g, axis_name)

    def evaluate_step(state, batch):
        """D of held-out images, and of as many samples of G as it is now: where D tells
        held-out images less well than the training's, it has learned these by heart.
        """
        label = batch['label'] if networks.classes else None
        d, g = (
            {'params': state.params[n], **state.variables[n]}
            for n in ('discriminator', 'generator')
        )
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        real = networks.held(d, batch['image'], label).logits
        fake = networks.held(d, networks.generated(g, prior.draw(keys), label), label)
        mask = batch['mask']
        means = {'real': real, 'fake': fake.logits}
        means |= told_apart(real, fake.logits, lambda x: x)
        sums = {name: jnp.sum(value * mask) for name, value in means.items()}
        sums['count'] = jnp.sum(mask)
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def told_apart(real, fake, mean=jnp.mean):
        """Shares on the right side of the logit at which D is undecided."""
        if loss.boundary is None:
            return {}
        return {
            'accuracy_real': mean(1.0 * (real > loss.boundary)),
            'accuracy_fake': mean(1.0 * (fake < loss.boundary)),
        }

    def sample(state, rng, n, condition=None):
        return decode(state, draw_latents(rng, n), condition)

    def draw_latents(rng, n, truncation=None):
        return prior.draw(keys_of(rng, jnp.arange(n)), truncation)

    def decode(state, latents, condition=None):
        return networks.sample(state.ema['generator'], latents, condition)

    def settled(state):
        key = jax.random.key(0)  # the same latents whoever asks: samples stay the same
        return state.replace(
            ema={'generator': networks.settled(state.ema['generator'], key)}
        )

    if method.sampling_statistics == 'standing':
        settled = jax.jit(settled)

    def diagnose(state):
        return {
            f'{name}/{layer}': value
            for name in state.params
            for layer, value in spectral.largest(
                state.params[name], state.variables[name]
            ).items()
        }

    named = ' + '.join([f'{method.loss} E_x, E_z', *terms_d, *terms_g])
    return Method(
        objective=f'gan: {named}, nats per example; {critic_steps} D update(s) per G '
        f'update; augment {method.augment or "none"}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        evaluates_averages=False,
        updates_per_step=batches,
        classes=networks.classes,
        prior=draw_latents,
        decode=decode,
        settled=settled,
        diagnose=diagnose,
    )


def _mean(tree, axis_name):
    return tree if axis_name is None else lax.pmean(tree, axis_name)
