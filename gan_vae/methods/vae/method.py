"""Variational autoencoders: maximise a lower bound of the evidence.

  elbo        E_q(z|x)[log p(x | z)] - KL(q(z | x) || N(0, I)) <= log p(x)
  iwae, dreg  E[log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x)] <= log p(x)

with q = N(mean(x), diag exp(log_variance(x))), K samples of z, and the analytic KL,
which the loss may weigh (terms.py). A `conditional` one bounds log p(x | class) by a
p(x | z, class) and a q(z | x, class), whose encoder sees a picture learned for each
class as one more channel. Where the `prior` is a flow f, samples are of z = f^-1(e, y)
with e of N(0, I), and f maximises log p_f(z | y) of z from the posteriors, held still
(Ghosh et al. 2020, arXiv:1903.12436, fit a mixture after training). Latents of such a
model are its e, and `elbo_flow` is the bound with p_f as the prior.

Kingma & Welling 2013, arXiv:1312.6114; Sohn et al. 2015 (classes); Burda et al. 2016,
arXiv:1509.00519; Tucker et al. 2018, arXiv:1810.04152 (dreg). Everything in nats per
example: summed over pixels, averaged over the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import keys_of, normals, purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import step_key
from gan_vae.methods import contract, latents, minimisation
from gan_vae.methods.contract import Coder, Method
from gan_vae.methods.vae import Networks, Settings, terms
from gan_vae.models.coupling_flow import CouplingFlow
from gan_vae.objectives import bounds
from gan_vae.objectives.likelihoods import Likelihood


@dataclass(frozen=True)
class VAE:
    """q(z | x) and p(x | z), as functions of parameters {encoder, decoder, ...}."""

    encode: Callable  # (parameters of the encoder, x) -> mean, log variance [B, D]
    decode: Callable  # (parameters of the decoder, z [B, D'], class) -> outputs
    likelihood: Likelihood
    log_prob: Callable  # of the likelihood
    latent_dim: int
    classes: int  # 0: unconditional
    flow: Any = None  # models.coupling_flow.CouplingFlow

    def posterior(self, params, x, label=None):
        """Mean and log variance [B, D] of q(z | x)."""
        if self.classes and label is None:
            raise UserError('this model has classes: an image is encoded with its own')
        if self.classes:
            x = jnp.concatenate([x, params['classes'][label]], -1)
        return self.encode(params['encoder'], x)

    def draw(self, params, x, keys, k=1, label=None):
        """z [K, B, D] from the posteriors, and their mean and log variance [B, D]."""
        mean, log_variance = self.posterior(params, x, label)
        noise = normals(keys, (self.latent_dim,))[None]
        if k > 1:
            others = jax.vmap(lambda key: keys_of(key, jnp.arange(1, k)))(keys)
            others = jax.vmap(lambda keys: normals(keys, (self.latent_dim,)))(others.T)
            noise = jnp.concatenate([noise, others])
        return bounds.sample_gaussian(noise, mean, log_variance), mean, log_variance

    def decoder_input(self, z, label):
        """z [..., D] and beside it, if there are classes, the class as one-hot."""
        if not self.classes:
            return z
        shape = *z.shape[:-1], self.classes
        code = jnp.broadcast_to(jax.nn.one_hot(label, self.classes), shape)
        return jnp.concatenate([z, code], -1)

    def log_prior(self, params, z, label=None):
        """log p_f(z | class) [B] of z [B, D] by the flow f."""
        e, log_det = self.flow.apply({'params': params['flow']}, z, label)
        return jnp.sum(bounds.gaussian_log_prob(e, *jnp.zeros(2)), -1) + log_det

    def log_likelihood(self, params, x, z, label=None):
        """log p(x | z) [K, B] of z [K, B, D] and, if there are classes, label [B]."""
        inputs = self.decoder_input(z, label)
        outputs = self.decode(params['decoder'], inputs.reshape(-1, inputs.shape[-1]))
        x = jnp.tile(x, (len(z), 1, 1, 1))
        log_prob = self.log_prob(params['likelihood'], outputs, x)
        return log_prob.reshape(z.shape[:2])


def elbo(vae: VAE, weigh: Callable, samples: int, params, step, rows):
    """(loss, metrics, (z, mean, log variance)) of a weighed negative ELBO.

    weigh: (KL [B, D], step) -> (what is added to the loss, metrics).
    """
    x, keys, label, _ = rows
    z, mean, log_variance = vae.draw(params, x, keys, samples, label)
    log_likelihood = jnp.mean(vae.log_likelihood(params, x, z, label))
    kl = bounds.kl_to_standard_normal(mean, log_variance)
    penalty, metrics = weigh(kl, step)
    metrics |= terms.elbo(log_likelihood, jnp.mean(jnp.sum(kl, -1)))
    return penalty - log_likelihood, metrics, (z[0], mean, log_variance)


def iwae(vae: VAE, double: bool, samples: int, params, step, rows):
    """(loss, metrics, (z, mean, log variance)) of a bound by importance weighting;
    double: with the doubly reparameterised gradient."""
    x, keys, label, _ = rows
    z, *q = vae.draw(params, x, keys, samples, label)
    codes = z[0], *q
    kl = jnp.mean(jnp.sum(bounds.kl_to_standard_normal(*q), -1))
    if double:
        q = lax.stop_gradient(q)

    def log_weights(z):
        ratio = jnp.sum(bounds.kl_sampled(z, *q), -1)
        return vae.log_likelihood(params, x, z, label) - ratio

    if double:
        bound = bounds.dreg_bound(log_weights, z)
    else:
        bound = bounds.importance_bound(log_weights(z))
    bound = jnp.mean(bound)
    return -bound, {'bound': bound, 'kl': kl}, codes


def latents_of(vae: VAE) -> contract.Latents:
    """z <-> means of p(x | z)."""

    def posterior(weights, images, condition=None):
        return vae.posterior(weights.averaged, images, condition)

    def decode(weights, z, condition=None):
        """Means of p(x | z); of each class in turn if there are some and none given."""
        if condition is None:
            each = jnp.arange(len(z)) % vae.classes if vae.classes else None
            condition = jnp.zeros(z.shape[0], int) if each is None else each
        elif not vae.classes:
            contract.refuse_condition(condition)
        if vae.flow:
            z = flow(weights, z, condition, method='inverse')
        z = vae.decoder_input(z, condition)
        return vae.likelihood.mean(vae.decode(weights.averaged['decoder'], z))

    def flow(weights, z, condition, method=None):
        params = {'params': weights.averaged['flow']}
        return vae.flow.apply(params, z, condition, method=method)

    def encode(weights, images, condition=None):
        z = posterior(weights, images, condition)[0]
        return flow(weights, z, condition)[0] if vae.flow else z

    return contract.Latents(
        groups=(vae.latent_dim,),
        prior=latents.make(vae.latent_dim).sample,
        decode=decode,
        # a Gaussian of z is none of e
        posterior=None if vae.flow else posterior,
        encode=encode,
    )


def density_of(vae: VAE) -> contract.Density:
    """log p(x) by one z from the posterior."""

    def draw(weights, key, images):
        keys = keys_of(key, jnp.arange(len(images)))
        z, *q = vae.draw(weights.averaged, images, keys)
        return vae.log_likelihood(weights.averaged, images, z)[0], z[0], q

    def elbo(weights, key, images):
        log_likelihood, _, q = draw(weights, key, images)
        return log_likelihood - jnp.sum(bounds.kl_to_standard_normal(*q), -1)

    def log_weight(weights, key, images):
        log_likelihood, z, q = draw(weights, key, images)
        return log_likelihood - jnp.sum(bounds.kl_sampled(z, *q), -1)

    def coder(weights):
        params = weights.averaged
        return Coder(
            groups=1,
            features=lambda images: vae.posterior(params, images),
            start=lambda n: jnp.zeros((n, vae.latent_dim)),
            prior=lambda _, zeros: (zeros, zeros),
            posterior=lambda _, zeros, features: features,
            descend=lambda _, zeros, z: z,
            outputs=lambda z: vae.decode(params['decoder'], z),
            likelihood=vae.likelihood,
            params=params['likelihood'],
        )

    return contract.Density(elbo=elbo, log_weight=log_weight, coder=coder)


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    classes = contract.classes_of(settings, spec)
    if learning.privacy.noise_multiplier:
        for key in ('disentangle', 'free_bits', 'capacity'):
            if value := getattr(settings, key):
                raise UserError(
                    f'config.method.{key}={value}: with config.privacy the loss of an '
                    'image must be of that image alone'
                )
    encoder, decoder, vae = _networks(settings, model, learning, spec, classes)
    learners, term, name = (
        {'all': optimizers.make(learning)},
        None,
        settings.disentangle,
    )
    if name:  # its discriminator learns as that of a GAN
        term = terms.TERMS[name](settings, model.latent_dim, spec.size)
        own = optimizers.of_discriminator(learning.optimizer)
        learners['terms'] = optimizers.make(learning, *own)
    if settings.bound == 'elbo':
        bound = partial(elbo, vae, terms.kl_term(settings, axis_name))
    else:
        bound = partial(iwae, vae, settings.bound == 'dreg')
    bound = partial(bound, settings.bound_samples)

    def init(key):
        x = jnp.zeros((1, spec.height, spec.width, spec.channels + bool(classes)))
        z = jnp.zeros((1, model.latent_dim + classes))
        params = {
            'encoder': encoder.init(purpose_key(key, 'encoder'), x)['params'],
            'decoder': decoder.init(purpose_key(key, 'decoder'), z)['params'],
            'likelihood': vae.likelihood.params,
        }
        key = purpose_key(key, 'run')
        if classes:
            shape = classes, spec.height, spec.width, 1
            params['classes'] = jax.random.normal(purpose_key(key, 'classes'), shape)
        if vae.flow:
            z, label = z[:, : model.latent_dim], jnp.zeros(1, jnp.int32)
            own = vae.flow.init(purpose_key(key, 'flow'), z, label)
            params['flow'] = own['params']
        if term:
            params['terms'] = {name: term.init(purpose_key(key, name))}
        return params

    def loss(state, params, rows):
        value, metrics, codes = bound(params, state.step, rows)
        if vae.flow:
            z = lax.stop_gradient(codes[0])
            unlikely = -jnp.mean(vae.log_prior(params, z, rows.label))
            value, metrics = value + unlikely, metrics | {'flow': unlikely}
        if not term:
            return value, metrics
        codes = [terms.all_rows(c, axis_name) for c in codes]
        codes = terms.Coded(*codes, step_key(state, 'terms'))
        added = term.value(params['terms'][name], codes)
        return value + added, metrics | {name: added}

    def values(state, rows):
        """The ELBO's terms at beta = 1, one z an example."""
        x, keys, label, _ = rows
        z, *q = vae.draw(state.ema, x, keys, label=label)
        log_likelihood = vae.log_likelihood(state.ema, x, z, label)[0]
        kl = jnp.sum(bounds.kl_to_standard_normal(*q), -1)
        found = terms.elbo(log_likelihood, kl)
        if vae.flow:
            of_z = jnp.sum(bounds.gaussian_log_prob(z[0], q[0], q[1]), -1)
            kl = of_z - vae.log_prior(state.ema, z[0], label)
            found |= {'elbo_flow': log_likelihood - kl, 'kl_flow': kl}
        return found

    return minimisation.method(
        settings,
        learning,
        axis_name,
        params=init,
        loss=loss,
        values=values,
        learners=learners,
        classes=classes,
        private=True,
        objective=_objective(settings, spec, vae, term),
        latents=latents_of(vae),
        # of p(x), which a model of p(x | class) is not
        density=None if classes else density_of(vae),
    )


def _networks(settings, model, learning, spec, classes):
    """(encoder, decoder, VAE) for images of shape `spec`."""
    likelihood = terms.likelihood_of(settings, spec)
    fields = {
        'image_size': spec.height,
        'width': model.width,
        'latent_dim': model.latent_dim,
        'outputs': likelihood.outputs,
        'dtype': jnp.dtype(learning.dtype),
    }
    encoder = models.make('encoder', model.encoder, **fields)
    if 'axis_name' in type(encoder).__dataclass_fields__:
        raise UserError(
            f'config.model.encoder={model.encoder} has BatchNorm, by which a posterior '
            'depends on its batch: take conv, or config.method.name=vae_gan'
        )
    decoder = models.make('decoder', model.decoder, **fields)
    recompute = recomputed(learning.remat)
    flow = settings.prior == 'flow'
    vae = VAE(
        encode=recompute(lambda params, x: encoder.apply({'params': params}, x)),
        decode=recompute(lambda params, z: decoder.apply({'params': params}, z)),
        likelihood=likelihood,
        log_prob=recompute(likelihood.log_prob),
        latent_dim=model.latent_dim,
        classes=classes,
        flow=CouplingFlow(model.latent_dim, classes) if flow else None,
    )
    return encoder, decoder, vae


def _objective(settings: Settings, spec, vae: VAE, term) -> str:
    label = ', class' if vae.classes else ''
    if settings.bound == 'elbo':
        formula = f'-E_q[log p(x|z{label})] + {terms.kl_formula(settings)}'
    else:
        k = settings.bound_samples
        formula = f'-log 1/{k} sum_k p(x|z_k{label}) p(z_k) / q(z_k|x)'
    if vae.flow:
        formula += f' - E_q[log p_flow(z{"|class" if vae.classes else ""})]'
    if term:
        formula += f' + {term.formula}'
    return f'vae: {formula}, {terms.units(settings, spec, vae.likelihood, label)}'
