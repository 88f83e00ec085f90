"""Generative adversarial networks: the game of config.method (see game.py)."""

from functools import partial

import jax

from gan_vae import models
from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of
from gan_vae.learning import descent, optimizers
from gan_vae.learning.settings import Learning
from gan_vae.methods import latents
from gan_vae.methods.contract import Method
from gan_vae.methods.gan import Networks, Settings, game, networks
from gan_vae.methods.gan.terms import (
    adaptive,
    auxiliary,
    consistency,
    correspondence,
    gradient_penalty,
    lecam,
    orthogonal,
    path_length,
    reconstruction,
    wrong_pairs,
)
from gan_vae.objectives import adversarial, augment, regularisers

# in the order in which they are added
D_TERMS = (auxiliary, reconstruction, gradient_penalty, consistency, lecam, wrong_pairs)
G_TERMS = (auxiliary, consistency, orthogonal, path_length, correspondence)


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    prior = latents.make(
        model.latent_dim, model.latent, model.code_categories, model.code_continuous
    )
    pair = networks.make(
        model, prior, settings.sampling_statistics, learning, spec, axis_name
    )
    d_terms, g_terms = terms_of(settings, pair)
    loss, limit = adversarial.named(settings.loss), settings.clip_weights
    d_terms |= adaptive.terms(settings, learning.batch_size, loss)
    for of, key in ('penalty', 'penalty_gamma_end'), ('ada', 'ada_p_end'):
        if getattr(settings, of) and (end := getattr(settings, key)) >= 0:
            learning.require_end(f'method.{key}={end}')
    privately = {}
    if learning.privacy.noise_multiplier:
        _check_private(settings, model, pair, loss)
        privately = {'condition_of_g': partial(_drawn, pair, axis_name)}
    own = game.Game(
        networks=pair,
        loss=loss,
        augment=augment.make(settings.augment),
        adaptive=adaptive.augmentation(settings),
        d_terms=d_terms,
        g_terms=g_terms,
        descent=_descent(settings, learning, axis_name),
        critic_steps=settings.critic_steps,
        schedule_steps=learning.schedule_steps,
        constrain=partial(regularisers.clip_weights, limit=limit) if limit else None,
        **privately,
    )
    return game.method(own, _objective(settings, own), private=True)


def _check_private(settings: Settings, model: Networks, pair, loss):
    """A UserError where D's gradient of an image is not of that image alone, or where
    anything but D sees the data."""
    for role in ('discriminator', 'generator'):
        if 'axis_name' in models.fields_of(role, name := getattr(model, role)):
            raise UserError(
                f'config.model.{role}={name} sees its batch as one (BatchNorm, or '
                'deviations in it), and with config.privacy each image is by itself: '
                f'take a {role} without, as r3gan or mlp'
            )
    for key in ('lecam_weight', 'ada', 'wrong_pairs'):
        if value := getattr(settings, key):
            raise UserError(
                f'config.method.{key}={value}: with config.privacy it would give away '
                'other images'
            )
    if pair.captions:
        raise UserError(
            f'config.model.generator={model.generator} draws captions of the data, '
            'which config.privacy does not protect: take a generator of classes'
        )
    if loss.paired:
        raise UserError(
            f'config.method.loss={settings.loss}: with config.privacy the generator '
            'must not see data: take non_saturating'
        )


def _drawn(pair: networks.Pair, axis_name, key, condition):
    """A condition for G that says nothing of the data: classes, each as often."""
    if condition is None:
        return None
    keys = keys_of(key, example_indices(len(condition), axis_name))
    return jax.vmap(lambda key: jax.random.randint(key, (), 0, pair.classes))(keys)


def terms_of(settings: Settings, pair: networks.Pair) -> tuple[dict, dict]:
    """{name: term} of D's loss and of G's."""
    d_terms, g_terms = {}, {}
    for module in D_TERMS:
        d_terms |= module.discriminator_terms(settings, pair)
    for module in G_TERMS:
        g_terms |= module.generator_terms(settings, pair)
    return d_terms, g_terms


def _descent(settings: Settings, learning: Learning, axis_name) -> descent.Descent:
    optimizer = learning.optimizer
    rate_g, betas_g = optimizers.of_generator(optimizer)
    if settings.path_length_weight:
        interval = settings.path_length_interval
        rate_g, betas_g = optimizers.lazy(rate_g, betas_g, interval)
    rate_d, betas_d = optimizers.of_discriminator(optimizer)
    if settings.penalty:
        rate_d, betas_d = optimizers.lazy(rate_d, betas_d, settings.penalty_interval)
    critic_steps = settings.critic_steps
    learners = {
        'generator': optimizers.make(learning, rate_g, betas_g),
        'discriminator': optimizers.make(learning, rate_d, betas_d, critic_steps),
    }
    return descent.make(learners, settings, learning, axis_name, ['discriminator'])


def _objective(settings: Settings, own: game.Game) -> str:
    d, g = (
        ''.join(f' + {t.formula}' for t in terms.values() if t.formula)
        for terms in (own.d_terms, own.g_terms)
    )
    augmentation = settings.augment
    if settings.ada:
        augmentation += ', ' * bool(augmentation) + adaptive.words(settings)
    clipped = f', D in +-{settings.clip_weights:g}' if settings.clip_weights else ''
    unit = 'nats' if settings.loss in adversarial.IN_NATS else 'means'
    return (
        f'gan: D {settings.loss} L_D{d}{clipped}; G {settings.loss} L_G{g}; {unit} per '
        f'example; {settings.critic_steps} D update(s) per G update; augment '
        f'{augmentation or "none"}'
    )
