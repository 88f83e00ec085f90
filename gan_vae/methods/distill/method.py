"""A small decoder S learns to draw what a trained one T draws of the same latents.

  min_S  E_{z, y} [ |T(z, y) - S(z, y)| + v d(T(z, y), S(z, y)) ]

means over values, d a distance of features (extractors/perceptual.py), z of the law of
T's latents, y the classes of the data, of which nothing else is read. Aguinaldo et al.
2019, arXiv:1902.00159, who take a squared error and a discriminator; neither is here.
"""

from functools import cache, partial

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.devices.memory import recomputed
from gan_vae.extractors import perceptual
from gan_vae.keys import purpose_key
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, latents, minimisation
from gan_vae.methods.contract import Method
from gan_vae.methods.distill import Networks, Settings, teacher

NAME = 'decoder'  # its entry of the parameters


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    classes = contract.classes_of(settings, spec)
    weight = settings.feature_weight
    distance = perceptual.of_weight(settings, spec.height)
    prior = latents.make(model.latent_dim, model.latent)
    network = models.make(
        'decoder',
        model.decoder,
        image_size=spec.height,
        width=model.width,
        latent_dim=model.latent_dim,
        outputs=spec.channels,
        dtype=jnp.dtype(learning.dtype),
    )
    apply = recomputed(learning.remat)(
        lambda params, z: network.apply({'params': params}, z)
    )

    @cache
    def of_teacher():
        """T; a sampled run needs none."""
        return teacher.read(
            settings.teacher, model.latent_dim, settings.conditional, spec.shape
        )

    def draw(params, z, label):
        if label is not None:
            z = jnp.concatenate([z, jax.nn.one_hot(label, classes)], -1)
        return apply(params, z)

    def init(key):
        z = jnp.zeros((1, model.latent_dim + classes))
        return {NAME: network.init(purpose_key(key, NAME), z)['params']}

    def both(params, rows):
        """T's and S's pictures [B, H, W, C] of latents by the rows' keys."""
        z, label = prior.draw(rows.keys), rows.label
        wanted = of_teacher()(z, *(() if label is None else (label,)))
        return jax.lax.stop_gradient(wanted), draw(params[NAME], z, label)

    def loss(state, params, rows):
        wanted, drawn = both(params, rows)
        error = jnp.mean(jnp.abs(wanted - drawn))
        if distance is None:
            return error, {'absolute_error': error}
        apart = jnp.mean(distance(wanted, drawn))
        metrics = {'absolute_error': error, 'feature_distance': apart}
        return error + weight * apart, metrics

    def values(state, rows):
        wanted, drawn = both(state.ema, rows)
        error = jnp.mean(jnp.abs(wanted - jnp.clip(drawn, -1, 1)), (1, 2, 3))
        return {'absolute_error': error, 'psnr': contract.psnr(wanted, drawn)}

    def decode(weights, z, condition=None):
        """Pictures, of each class in turn if there are some and none is given."""
        if not classes:
            contract.refuse_condition(condition)
        elif condition is None:
            condition = jnp.arange(len(z)) % classes
        return jnp.clip(draw(weights.averaged[NAME], z, condition), -1, 1)

    more = f' + {weight:g} d(T(z), S(z)) of {settings.features}' if weight else ''
    return minimisation.method(
        settings,
        learning,
        axis_name,
        params=init,
        loss=loss,
        values=values,
        learners={NAME: optimizers.make(learning)},
        classes=classes,
        objective=f'distill: |T(z) - S(z)|{more}, mean over values in [-1, 1]; T of '
        f'{settings.teacher}',
        depends=partial(teacher.digest, settings.teacher),
        latents=contract.Latents(
            groups=(prior.size,), prior=prior.sample, decode=decode
        ),
    )
