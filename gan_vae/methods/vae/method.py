"""Variational autoencoders: maximise a lower bound of the evidence.

  elbo        E_q(z|x)[log p(x | z)] - KL(q(z | x) || N(0, I)) <= log p(x)
  iwae, dreg  E[log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x)] <= log p(x)

with q = N(mean(x), diag exp(log_variance(x))), K samples of z, and the analytic KL,
which the loss may weigh (vae_terms). A `conditional` one bounds log p(x | class) by a
p(x | z, class) and a q(z | x, class), whose encoder sees a picture learned for each
class as one more channel. Kingma & Welling 2013, arXiv:1312.6114; Sohn et al. 2015
(classes); Burda et al. 2016, arXiv:1509.00519; Tucker et al. 2018, arXiv:1810.04152
(dreg). Everything in nats per example: summed over pixels, averaged over the batch.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.devices import layout as layouts
from gan_vae.devices.memory import accumulated, recomputed
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, normals, purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import latents
from gan_vae.methods.contract import Coder, Method
from gan_vae.methods.vae import terms as vae_terms
from gan_vae.objectives import bounds, likelihoods


def make(config, spec, axis_name=None) -> Method:
    """The Method of config.method, config.model and config.optimizer."""
    method, model = config.method, config.model
    likelihood = likelihoods.make(config, spec.channels)
    name, bound, samples = method.likelihood, method.bound, method.bound_samples
    fields = {
        'image_size': spec.height,
        'width': model.width,
        'latent_dim': model.latent_dim,
        'outputs': likelihood.outputs,
        'dtype': jnp.dtype(config.parallel.dtype),
    }
    encoder = models.make('encoder', model.encoder, **fields)
    if 'axis_name' in type(encoder).__dataclass_fields__:
        raise UserError(
            f'config.model.encoder={model.encoder} has BatchNorm, by which a posterior '
            'depends on its batch: take conv, or config.method.name=vae_gan'
        )
    decoder = models.make('decoder', model.decoder, **fields)
    latent_dim = model.latent_dim
    classes = len(spec.class_names) if method.conditional else 0
    if method.conditional and classes < 2:
        raise UserError(
            f'config.method.conditional: {config.data.name} has no two classes'
        )
    told_dim, plane = latent_dim + classes, (spec.height, spec.width, 1)
    seen_shape = (*plane[:2], spec.channels + 1) if classes else spec.shape
    draw_latents = latents.normal(latent_dim).draw
    moving_average = optimizers.averaging(method, config.data.batch_size)

    def whole(x):
        """Rows of this device and of all others, in the order of the batch."""
        return x if axis_name is None else lax.all_gather(x, axis_name, tiled=True)

    if bound == 'elbo':
        weigh = vae_terms.of_kl(method, whole)
    extra = vae_terms.of_codes(method, latent_dim, spec.count)
    steps, rate = config.train.steps, config.optimizer.learning_rate
    learners = {'all': optimizers.make(config.optimizer, steps, rate)}
    if extra:  # their discriminators learn as those of a GAN
        own = optimizers.of_discriminator(config.optimizer)
        learners['terms'] = optimizers.make(config.optimizer, steps, *own)
    parallel = config.parallel
    layout = layouts.make(parallel.shard_state, axis_name)
    parts, recompute = parallel.accumulate, recomputed(parallel.remat)
    encoded = recompute(lambda params, x: encoder.apply({'params': params}, x))
    decoded = recompute(lambda params, z: decoder.apply({'params': params}, z))
    explained = recompute(likelihood.log_prob)

    def init(rng) -> TrainState:
        key_e, key_d, rng = (purpose_key(rng, p) for p in ('encoder', 'decoder', 'run'))
        params = {
            'encoder': encoder.init(key_e, jnp.zeros((1, *seen_shape)))['params'],
            'decoder': decoder.init(key_d, jnp.zeros((1, told_dim)))['params'],
            'likelihood': likelihood.params,
        }
        if classes:
            key = purpose_key(rng, 'classes')
            params['classes'] = jax.random.normal(key, (classes, *plane))
        terms = {n: t.init(purpose_key(rng, n)) for n, t in extra.items()}
        learned = {'all': params, 'terms': terms}
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            rng=rng,
            params=params | ({'terms': terms} if extra else {}),
            variables={},
            opt_state={n: o.init(learned[n]) for n, o in learners.items()},
            ema=jax.tree.map(jnp.copy, params),
            extra={},
        )

    def inferred(params, x, label=None):
        """Mean and log variance [B, D] of the posteriors."""
        if classes and label is None:
            raise UserError('this model has classes: an image is encoded with its own')
        if classes:
            x = jnp.concatenate([x, params['classes'][label]], -1)
        return encoded(params['encoder'], x)

    def coded(params, x, keys, k=1, label=None):
        """z [K, B, D] from the posteriors, and their mean and log variance [B, D]."""
        mean, log_variance = inferred(params, x, label)
        noise = normals(keys, (latent_dim,))[None]
        if k > 1:
            others = jax.vmap(lambda key: keys_of(key, jnp.arange(1, k)))(keys)
            others = jax.vmap(lambda keys: normals(keys, (latent_dim,)))(others.T)
            noise = jnp.concatenate([noise, others])
        return bounds.sample_gaussian(noise, mean, log_variance), mean, log_variance

    def told(z, label):
        """What the decoder takes of z [..., D]: beside it, the class as one-hot."""
        if not classes:
            return z
        shape = *z.shape[:-1], classes
        code = jnp.broadcast_to(jax.nn.one_hot(label, classes), shape)
        return jnp.concatenate([z, code], -1)

    def explanation(params, x, z, label=None):
        """log p(x | z) [K, B] of z [K, B, D] and, if there are classes, label [B]."""
        outputs = decoded(params['decoder'], told(z, label).reshape(-1, told_dim))
        seen = jnp.tile(x, (len(z), 1, 1, 1))
        return explained(params['likelihood'], outputs, seen).reshape(z.shape[:2])

    def elbo(params, step, x, keys, label):
        """(loss, metrics, codes) of a weighed ELBO."""
        z, mean, log_variance = coded(params, x, keys, samples, label)
        reconstruction = -jnp.mean(explanation(params, x, z, label))
        kl = bounds.kl_to_standard_normal(mean, log_variance)
        penalty, said = weigh(kl, step)
        kl = jnp.mean(jnp.sum(kl, -1))
        metrics = {
            'elbo': -reconstruction - kl,
            'reconstruction': reconstruction,
            'kl': kl,
        }
        codes = z[0], mean, log_variance
        return reconstruction + penalty, metrics | said, codes

    def iwae(params, step, x, keys, label):
        """(loss, metrics, codes) of a bound by importance weighting."""
        z, *q = codes = coded(params, x, keys, samples, label)
        kl = jnp.mean(jnp.sum(bounds.kl_to_standard_normal(*q), -1))
        if bound == 'dreg':
            q = lax.stop_gradient(q)

        def log_weights(z):
            ratio = jnp.sum(bounds.kl_sampled(z, *q), -1)
            return explanation(params, x, z, label) - ratio

        if bound == 'dreg':
            found = bounds.dreg_bound(log_weights, z)
        else:
            found = bounds.importance_bound(log_weights(z))
        found = jnp.mean(found)
        return -found, {'bound': found, 'kl': kl}, (z[0], *codes[1:])

    losses = elbo if bound == 'elbo' else iwae

    def label_of(batch):
        return batch['label'] if classes else None

    def train_step(state, batch):
        x = batch['image']
        indices = example_indices(len(x), axis_name)
        keys = keys_of(step_key(state, 'posterior'), indices)

        def gradient(params, variables, rows):
            def objective(params):
                loss, metrics, codes = losses(params, state.step, *rows)
                if extra:
                    codes = [whole(c) for c in codes]
                    codes = vae_terms.Coded(*codes, step_key(state, 'terms'))
                    added = {
                        n: term.value(params['terms'][n], codes)
                        for n, term in extra.items()
                    }
                    loss, metrics = loss + sum(added.values()), metrics | added
                return loss, metrics | {'loss': loss}

            grads, metrics = jax.grad(objective, has_aux=True)(params)
            return grads, (variables, metrics)

        grads, (_, metrics) = accumulated(gradient, parts)(
            state.params, state.variables, (x, keys, label_of(batch))
        )
        if axis_name is not None:
            metrics = lax.pmean(metrics, axis_name)
        params, opt_state, norms = {}, {}, {}
        for name, learner in learners.items():
            new, opt_state[name], norms[name] = layouts.update(
                layout,
                learner,
                _part(grads, name),
                state.opt_state[name],
                _part(state.params, name),
            )
            params |= new if name == 'all' else {name: new}
        now = _part(params, 'all')
        ema = moving_average(state.ema, layout.own(now), state.step)
        state = state.replace(
            step=state.step + 1, params=params, opt_state=opt_state, ema=ema
        )
        return state, metrics | {'gradient': norms['all']}

    def evaluate_step(state, batch):
        """Sums of the bound's terms at beta = 1, one z an example, averaged weights."""
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        x, label = batch['image'], label_of(batch)
        z, *q = coded(state.ema, x, keys, label=label)
        log_likelihood = explanation(state.ema, x, z, label)[0]
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        mask = batch['mask']
        sums = {
            'elbo': jnp.sum((log_likelihood - kl) * mask),
            'reconstruction': -jnp.sum(log_likelihood * mask),
            'kl': jnp.sum(kl * mask),
            'count': jnp.sum(mask),
        }
        return sums if axis_name is None else lax.psum(sums, axis_name)

    def sample(state, rng, n, condition=None):
        """Means of p(x | z), z from the prior."""
        return decode(state, prior(rng, n), condition)

    def tempered(state, rng, n, temperature, condition=None):
        return decode(state, temperature * prior(rng, n), condition)

    def prior(rng, n, truncation=None):
        return draw_latents(keys_of(rng, jnp.arange(n)), truncation)

    def posterior(state, images, condition=None):
        """Mean and log variance [B, D] of q(z | x)."""
        return inferred(state.ema, images, condition)

    def encode(state, images, condition=None):
        """Means of the posterior."""
        return posterior(state, images, condition)[0]

    def decode(state, z, condition=None):
        """Means of p(x | z); of each class in turn if there are some and none given."""
        if condition is None:
            condition = jnp.arange(len(z)) % max(classes, 1)
        elif not classes:
            raise UserError('this model has no classes: it takes none to sample')
        z = told(z, condition)
        return likelihood.mean(decoder.apply({'params': state.ema['decoder']}, z))

    def log_prob(state, rng, images):
        """The ELBO [B] with one sample of z, in nats."""
        z, *q = coded(state.ema, images, keys_of(rng, jnp.arange(len(images))))
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        return explanation(state.ema, images, z)[0] - kl

    def log_weight(state, rng, images):
        """log p(x | z) + log p(z) - log q(z | x) [B] of one sample of z, in nats."""
        z, *q = coded(state.ema, images, keys_of(rng, jnp.arange(len(images))))
        ratio = jnp.sum(bounds.kl_sampled(z[0], *q), -1)
        return explanation(state.ema, images, z)[0] - ratio

    def coder(state):
        return Coder(
            groups=1,
            features=lambda images: posterior(state, images),
            start=lambda n: jnp.zeros((n, latent_dim)),
            prior=lambda _, zeros: (zeros, zeros),
            posterior=lambda _, zeros, features: features,
            descend=lambda _, zeros, z: z,
            outputs=lambda z: decoder.apply({'params': state.ema['decoder']}, z),
            likelihood=likelihood,
            params=state.ema['likelihood'],
        )

    given = ', class' if classes else ''
    size = 'x'.join(map(str, spec.shape))
    said = {
        'elbo': f'-E_q[log p(x|z{given})] + {vae_terms.formula(method)}',
        'iwae': f'-log 1/{samples} sum_k p(x|z_k{given}) p(z_k) / q(z_k|x)',
    }['elbo' if bound == 'elbo' else 'iwae']
    said += ''.join(f' + {method.disentangle_weight:g} {term}' for term in extra)
    return Method(
        objective=f'vae: {said}, nats per example (sum over {size}, mean over the '
        f'batch); p(x|z{given}) {name}: {likelihood.units}',
        init=init,
        train_step=train_step,
        evaluate_step=evaluate_step,
        sample=sample,
        tempered=tempered,
        prior=prior,
        classes=classes,
        encode=encode,
        decode=decode,
        posterior=posterior,
        # of p(x), which is not what a model of p(x | class) tells
        log_prob=None if classes else log_prob,
        log_weight=None if classes else log_weight,
        coder=None if classes else coder,
    )


def _part(params, learner: str):
    """Of the tree of all parameters, what a learner updates."""
    if learner == 'all':
        return {n: p for n, p in params.items() if n != 'terms'}
    return params[learner]
