"""Terms of a GAN's losses: from a config to the formula, on what an update has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.methods import gan_terms
from gan_vae.objectives import augment
from gan_vae.training.state import normals

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
        logits=logits,
        latents=Z,
        generate=generate,
        keys=KEYS,
        extra={'lecam': {'real': jnp.array(0.5), 'fake': jnp.array(-0.5)}},
        step=jnp.array(7),
        update=jnp.array(14),
    )
    return at._replace(**changes)


def terms(config, of, **changes):
    config.update_from_flattened_dict({f'method.{k}': v for k, v in changes.items()})
    return of(config.method)


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
    seen = gan_terms.Generated(kernel, Z, generate(Z), generate, KEYS)
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
