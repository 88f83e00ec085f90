"""Terms of a GAN's losses: from a config to the formula, on what an update has."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.keys import normals
from gan_vae.methods import latents
from gan_vae.methods.gan import terms as gan_terms
from gan_vae.objectives import augment

A = jax.random.normal(jax.random.key(1), (4, 4, 1)) / 4
Z = jax.random.normal(jax.random.key(2), (6, 4, 4, 1))
REAL, FAKE = jax.random.normal(jax.random.key(3), (2, 6, 4, 4, 1))
KEYS = jax.random.split(jax.random.key(4), 6)


def logits(x):
    return jnp.sum(A * x, (1, 2, 3))


def generate(z):
    return 2 * z


def judged(**changes):
    at = gan_terms.Judged(
        real=REAL,
        fake=FAKE,
        shown_real=REAL + 1,
        shown_fake=FAKE + 1,
        on_real=logits(REAL + 1),
        on_fake=logits(FAKE + 1),
        said=(None, None),
        logits=logits,
        label=None,
        latents=Z,
        generate=generate,
        keys=KEYS,
        extra={'lecam': {'real': jnp.array(0.5), 'fake': jnp.array(-0.5)}},
        step=jnp.array(7),
        update=jnp.array(14),
    )
    return at._replace(**changes)


NETWORKS = SimpleNamespace(tells='')


def terms(config, of, networks=NETWORKS, **changes):
    config.update_from_flattened_dict({f'method.{k}': v for k, v in changes.items()})
    return of(config.method, networks)


def squared(x):
    return float(np.mean(np.square(np.asarray(x, np.float64))))


NORM = float(jnp.sqrt(jnp.sum(A**2)))
FLIP = augment.make('flip,shift')
NEAR = Z + 0.05 * normals(KEYS, Z.shape[1:])


@pytest.mark.parametrize(
    'name, expected',
    [
        ('wgan_gp', 3 * (NORM - 1) ** 2),
        ('dragan', 3 * (NORM - 1) ** 2),
        ('r1', 1.5 * NORM**2),
        ('r2', 1.5 * NORM**2),
        ('r1_r2', 3 * NORM**2),
    ],
)
def test_penalties_of_a_linear_discriminator(config, name, expected):
    made = terms(config, gan_terms.of_discriminator, penalty=name, penalty_weight=3.0)
    assert list(made) == [name]
    np.testing.assert_allclose(made[name](judged()), expected, rtol=1e-5)


def test_penalties_look_at_images_as_they_are(config):
    """Not augmented: of |x|^2 / 2 the gradient is x."""

    def at(name):
        made = terms(config, gan_terms.of_discriminator, penalty=name, penalty_weight=2)
        seen = judged(logits=lambda x: jnp.sum(x**2, (1, 2, 3)) / 2)
        return float(made[name](seen))

    real, fake = 16 * squared(REAL), 16 * squared(FAKE)
    np.testing.assert_allclose([at('r1'), at('r2')], [real, fake], rtol=1e-5)
    np.testing.assert_allclose(at('r1_r2'), real + fake, rtol=1e-5)


def test_a_lazy_penalty_comes_every_k_updates_k_times_as_heavy(config):
    (every,) = terms(config, gan_terms.of_discriminator, penalty='r1').values()
    changes = {'penalty': 'r1', 'penalty_interval': 4}
    (lazy,) = terms(config, gan_terms.of_discriminator, **changes).values()
    found = [float(lazy(judged(update=jnp.array(u)))) for u in range(8)]
    expected = 4 * float(every(judged()))
    np.testing.assert_allclose(found, [expected, 0, 0, 0] * 2, rtol=1e-6)
    np.testing.assert_allclose(np.mean(found), every(judged()), rtol=1e-6)


def test_consistency_is_of_what_d_was_shown(config):
    made = terms(
        config,
        gan_terms.of_discriminator,
        consistency='cr, bcr, zcr',
        consistency_weight=3.0,
        zcr_discriminator_weight=5.0,
    )
    assert list(made) == ['cr', 'bcr', 'zcr']
    found = {name: float(term(judged())) for name, term in made.items()}
    shown, fake = REAL + 1, FAKE + 1
    changed = logits(FLIP(KEYS, shown))
    assert squared(changed - logits(shown)) > 1e-3
    np.testing.assert_allclose(found['cr'], 3 * squared(changed - logits(shown)))
    one, two = jax.vmap(jax.random.split)(KEYS).T
    both = squared(logits(FLIP(one, shown) - shown)) + squared(
        logits(FLIP(two, fake) - fake)
    )
    np.testing.assert_allclose(found['bcr'], 3 * both, rtol=1e-5)
    near = logits(generate(NEAR)) - logits(fake)
    np.testing.assert_allclose(found['zcr'], 5 * squared(near), rtol=1e-5)


def test_terms_of_the_generator(config):
    made = terms(
        config,
        gan_terms.of_generator,
        consistency='zcr',
        zcr_generator_weight=0.5,
        orthogonal_weight=0.1,
    )
    kernel = {'dense': {'kernel': jnp.array([[1.0, 2.0], [0.0, 3.0]])}}
    seen = gan_terms.Generated(kernel, Z, generate(Z), None, None, generate, KEYS)
    found = {name: float(term(seen)) for name, term in made.items()}
    expected = {'zcr_g': -0.5 * squared(2 * (NEAR - Z)), 'orthogonal': 0.8}
    assert found == pytest.approx(expected, rel=1e-4)


def test_lecam_waits_for_its_start(config):
    changes = {'lecam_weight': 2.0, 'lecam_start_step': 7}
    (term,) = terms(config, gan_terms.of_discriminator, **changes).values()
    seen = judged()
    expected = 2 * (squared(seen.on_real + 0.5) + squared(seen.on_fake - 0.5))
    np.testing.assert_allclose(term(seen), expected, rtol=1e-5)
    assert term(judged(step=jnp.array(6))) == 0


def test_names_are_checked(config):
    with pytest.raises(UserError, match="'wgangp' \\(did you mean 'wgan_gp'"):
        terms(config, gan_terms.of_discriminator, penalty='wgangp')
    with pytest.raises(UserError, match="config.method.consistency 'icr'"):
        terms(config, gan_terms.of_generator, consistency='cr, icr')


def test_both_networks_raise_the_information_in_the_codes(config):
    """Codes are the last numbers of the latent; D is asked of generated images alone.
    Told without doubt, the terms are -2 log 3 and -0.5 log(2 / sqrt(2 pi)).
    """
    networks = SimpleNamespace(tells='codes', prior=latents.Prior(7, None, 3, 1))
    weights = {'category_weight': 2.0, 'continuous_weight': 0.5}
    code = jnp.concatenate([jax.nn.one_hot(jnp.arange(6) % 3, 3), Z[:, 0, 0]], axis=1)
    z = jnp.concatenate([Z[:, :3, 0, 0], code], axis=1)
    told = code * jnp.array([1e3, 1e3, 1e3, 1])
    (d,) = terms(config, gan_terms.of_discriminator, networks, **weights).values()
    (g,) = terms(config, gan_terms.of_generator, networks).values()
    best = -2 * np.log(3) - 0.5 * np.log(2 / np.sqrt(2 * np.pi))
    of_d = d(judged(said=(jnp.nan * told, told), latents=z))
    seen = gan_terms.Generated(None, z, None, told, None, None, KEYS)
    np.testing.assert_allclose([of_d, g(seen)], best, rtol=1e-5)
    assert g(seen._replace(said=jnp.roll(told, 1, axis=0))) > best + 100
