"""Terms of a GAN's losses: from a config to the formula, on what an update has."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.keys import normals
from gan_vae.methods import latents
from gan_vae.methods.gan import Settings
from gan_vae.methods.gan.game import mean_of
from gan_vae.methods.gan.method import terms_of
from gan_vae.methods.gan.terms import (
    DiscriminatorView,
    GeneratorView,
    Term,
    adaptive,
    added,
)
from gan_vae.objectives import augment
from gan_vae.objectives.adversarial import LOSSES

A = jax.random.normal(jax.random.key(1), (4, 4, 1)) / 4
Z = jax.random.normal(jax.random.key(2), (6, 4, 4, 1))
REAL, FAKE = jax.random.normal(jax.random.key(3), (2, 6, 4, 4, 1))
KEYS = jax.random.split(jax.random.key(4), 6)


def logits(x):
    return jnp.sum(A * x, (1, 2, 3))


def generate(z):
    return 2 * z


AVERAGES = {'real': jnp.array(0.5), 'fake': jnp.array(-0.5)}


def d_view(**changes):
    view = DiscriminatorView(
        real=REAL,
        fake=FAKE,
        augmented_real=REAL + 1,
        augmented_fake=FAKE + 1,
        real_logits=logits(REAL + 1),
        fake_logits=logits(FAKE + 1),
        real_auxiliary=None,
        fake_auxiliary=None,
        logits=logits,
        augment_real=lambda x: x + 1,
        augment_fake=lambda x: x + 1,
        label=None,
        other_label=None,
        latents=Z,
        generate=generate,
        keys=KEYS,
        key=KEYS[0],
        mean=lambda x: x,
        state=AVERAGES,
        step=jnp.array(7),
        update=jnp.array(14),
    )
    return replace(view, **changes)


def g_view(**changes):
    view = GeneratorView(
        params={},
        variables={},
        latents=Z,
        fake=generate(Z),
        fake_logits=None,
        fake_auxiliary=None,
        label=None,
        generate=generate,
        keys=KEYS,
        key=KEYS[0],
        mean=lambda x: x,
        state=None,
        step=jnp.array(7),
        update=jnp.array(7),
    )
    return replace(view, **changes)


PAIR = SimpleNamespace(auxiliary='', styles=None)


def d_terms(pair=PAIR, **settings):
    return terms_of(Settings(**settings), pair)[0]


def g_terms(pair=PAIR, **settings):
    return terms_of(Settings(**settings), pair)[1]


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
        ('ma_gp', 3 * NORM**6),
    ],
)
def test_penalties_of_a_linear_discriminator(name, expected):
    (term,) = d_terms(penalty=name, penalty_lambda=3.0, penalty_gamma=3.0).values()
    np.testing.assert_allclose(term.value(d_view()), expected, rtol=1e-5)
    assert term.formula == f'3 {name}' or term.formula == f'3/2 {name}'


def test_zero_centred_penalties_are_of_images_as_they_are_through_t():
    """Of |T(x)|^2 / 2 with T(x) = 2 x the gradient in x is 4 x, and in T(x) 2 x."""

    def at(name):
        (term,) = d_terms(penalty=name, penalty_gamma=2.0).values()
        view = d_view(
            logits=lambda x: jnp.sum(x**2, (1, 2, 3)) / 2,
            augment_real=lambda x: 2 * x,
            augment_fake=lambda x: 3 * x,
        )
        return float(term.value(view))

    real, fake = 16 * 16 * squared(REAL), 16 * 81 * squared(FAKE)
    np.testing.assert_allclose([at('r1'), at('r2')], [real, fake], rtol=1e-5)
    np.testing.assert_allclose(at('r1_r2'), real + fake, rtol=1e-5)


def test_a_penalty_may_move_with_the_schedule():
    """R3GAN's gamma from .05 to .005: .0275 at its half."""
    (term,) = d_terms(
        penalty='r1', penalty_gamma=0.05, penalty_gamma_end=0.005
    ).values()
    values = [term.value(d_view(progress=jnp.array(p))) for p in (0, 0.5, 1)]
    np.testing.assert_allclose(
        values, np.array([0.05, 0.0275, 0.005]) / 2 * NORM**2, rtol=1e-5
    )
    assert term.formula == '(0.05 to 0.005)/2 r1'


@pytest.mark.parametrize('name', ['wgan_gp', 'dragan'])
def test_one_centred_penalties_are_where_their_papers_look(name):
    """Between real and generated images, or near real ones: of |x|^2 / 2 the gradient
    is x, and so its norm says where."""
    (term,) = d_terms(penalty=name, penalty_lambda=3.0).values()
    view = d_view(logits=lambda x: jnp.sum(x**2, (1, 2, 3)) / 2)
    found = term.value(replace(view, augment_real=lambda x: x))
    if name == 'wgan_gp':
        mix = jax.vmap(jax.random.uniform)(KEYS)[:, None, None, None]
        where = mix * REAL + (1 - mix) * FAKE
    else:
        draws = jax.vmap(lambda key: jax.random.uniform(key, (17,)))(KEYS)
        size = draws[:, :1] / 2 * REAL.reshape(6, -1).std(1, keepdims=True)
        where = REAL + (size * draws[:, 1:]).reshape(REAL.shape)
    norms = np.linalg.norm(np.reshape(where, (6, -1)), axis=1)
    np.testing.assert_allclose(found, 3 * np.mean((norms - 1) ** 2), rtol=1e-5)


def test_a_lazy_penalty_comes_every_k_updates_k_times_as_heavy():
    """And is logged where it acts, as it is."""
    (plain,) = d_terms(penalty='r1').values()
    lazy = d_terms(penalty='r1', penalty_interval=4)
    values, logged = [], []
    for update in range(8):
        total, metrics = added(lazy, lambda name, u=update: d_view(update=jnp.array(u)))
        values.append(float(total))
        logged.append((float(metrics['r1'].value), int(metrics['r1'].acted)))
    r1 = float(plain.value(d_view()))
    np.testing.assert_allclose(values, [4 * r1, 0, 0, 0] * 2, rtol=1e-6)
    np.testing.assert_allclose(logged, [(r1, 1), (0, 0), (0, 0), (0, 0)] * 2, rtol=1e-6)
    assert 'every 4 D updates' in lazy['r1'].formula


def test_metrics_of_a_term_are_those_of_the_updates_where_it_acted():
    """Of three updates of D in a step, with an interval of two."""
    lazy = d_terms(penalty='r1', penalty_interval=2)
    per_update = [
        added(lazy, lambda name, u=u: d_view(update=jnp.array(u), real=(u + 1) * REAL))[
            1
        ]
        for u in (3, 4, 5)
    ]
    stacked = jax.tree.map(lambda *values: jnp.stack(values), *per_update)
    mean = mean_of(stacked)['r1']
    np.testing.assert_allclose(mean.value, per_update[1]['r1'].value)
    assert mean.acted == 1


def test_a_term_has_metrics_of_its_own_and_a_state():
    term = Term('', lambda view: (2.0 * view.state, {'k': view.state}), state=3.0)
    total, metrics = added({'t': term}, lambda name: d_view(state=term.state))
    assert (total, metrics) == (6.0, {'t': 6.0, 'k': 3.0})


@pytest.mark.parametrize('shape', [(6,), (6, 2)], ids=['classes', 'captions'])
def test_real_images_with_anothers_condition_are_not_real(shape):
    """By a D that adds what is asked for: a pair of equal conditions counts nothing."""
    label = jnp.array([0, 0, 1, 2, 2, 2]).reshape(6, *[1] * (len(shape) - 1))
    label = jnp.broadcast_to(label, shape)
    other = jnp.roll(label, -1, 0)

    def joined(x, label=label):
        return logits(x) + label.reshape(6, -1)[:, 0]

    pair = SimpleNamespace(auxiliary='', styles=None, classes=2, captions=None)
    (term,) = d_terms(pair, loss='hinge', wrong_pairs=0.5).values()
    given = {'label': label, 'other_label': other, 'logits': joined}
    fake = np.asarray(joined(FAKE + 1))
    view = d_view(**given, fake_logits=fake, real_logits=joined(REAL + 1))
    differs = (label != other).reshape(6, -1).any(1)
    assert differs.any() and not differs.all()
    wrong = np.where(differs, np.asarray(joined(REAL + 1, other)), fake)
    expected = 0.5 * np.mean(np.maximum(0, 1 + wrong) - np.maximum(0, 1 + fake))
    np.testing.assert_allclose(term.value(view), expected, rtol=1e-5)
    with pytest.raises(UserError, match='needs a discriminator that takes captions'):
        d_terms(
            SimpleNamespace(auxiliary='', styles=None, classes=0, captions=None),
            wrong_pairs=0.5,
        )


def test_consistency_is_of_what_d_was_shown():
    made = d_terms(
        consistency='cr, bcr, zcr',
        consistency_weight=3.0,
        zcr_discriminator_weight=5.0,
    )
    assert list(made) == ['cr', 'bcr', 'zcr']
    found = {name: float(term.value(d_view())) for name, term in made.items()}
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


def test_terms_of_the_generator():
    made = g_terms(
        consistency='zcr',
        zcr_generator_weight=0.5,
        orthogonal_weight=0.1,
    )
    kernel = {'dense': {'kernel': jnp.array([[1.0, 2.0], [0.0, 3.0]])}}
    view = g_view(params=kernel)
    found = {name: float(term.value(view)) for name, term in made.items()}
    expected = {'zcr_g': -0.5 * squared(2 * (NEAR - Z)), 'orthogonal': 0.8}
    assert found == pytest.approx(expected, rel=1e-4)


def test_lecam_waits_for_its_start():
    (term,) = d_terms(lecam_weight=2.0, lecam_start_step=7).values()
    view = d_view()
    expected = 2 * (squared(view.real_logits + 0.5) + squared(view.fake_logits - 0.5))
    np.testing.assert_allclose(term.value(view), expected, rtol=1e-5)
    assert term.value(d_view(step=jnp.array(6))) == 0
    means = {'real': jnp.array(2.0), 'fake': jnp.array(1.0)}
    assert term.advance(AVERAGES, means, jnp.array(6)) == means
    moved = term.advance(AVERAGES, means, jnp.array(7))
    np.testing.assert_allclose([moved['real'], moved['fake']], [0.515, -0.485])


def test_both_networks_raise_the_information_in_the_codes():
    """Codes are the last numbers of the latent; D is asked of generated images alone.
    Told without doubt, the terms are -2 log 3 and -0.5 log(2 / sqrt(2 pi)).
    """
    pair = SimpleNamespace(
        auxiliary='codes', styles=None, prior=latents.Prior(7, None, 3, 1)
    )
    weights = {'category_weight': 2.0, 'continuous_weight': 0.5}
    code = jnp.concatenate([jax.nn.one_hot(jnp.arange(6) % 3, 3), Z[:, 0, 0]], axis=1)
    z = jnp.concatenate([Z[:, :3, 0, 0], code], axis=1)
    said = code * jnp.array([1e3, 1e3, 1e3, 1])
    (d,), (g,) = d_terms(pair, **weights).values(), g_terms(pair, **weights).values()
    best = -2 * np.log(3) - 0.5 * np.log(2 / np.sqrt(2 * np.pi))
    of_d = d.value(
        d_view(real_auxiliary=jnp.nan * said, fake_auxiliary=said, latents=z)
    )
    of_g = g.value(g_view(fake_auxiliary=said, latents=z))
    np.testing.assert_allclose([of_d, of_g], best, rtol=1e-5)
    wrong = g_view(fake_auxiliary=jnp.roll(said, 1, axis=0), latents=z)
    assert g.value(wrong) > best + 100


ADA = {'ada': 'flip', 'ada_images': 1000.0, 'ada_interval': 2}


def strengths(logits, loss='non_saturating', updates=8, **settings):
    """p after each of D's updates of 10 images at those logits of real images."""
    settings = Settings(**ADA | settings)
    (term,) = adaptive.terms(settings, 10, LOSSES[loss]).values()
    state, found = term.state, []
    for _ in range(updates):
        value, metrics = term.value(d_view(real_logits=logits, state=state))
        assert value == 0
        state = term.advance(state, metrics, None)
        found.append(float(state['p']))
    return found


def test_p_follows_the_sign_of_real_logits():
    """By 2 x 10 images of 1,000 every second update; up to its bound, and down to 0."""
    rising = strengths(jnp.ones(6), updates=6)
    np.testing.assert_allclose(rising, [0, 0.02, 0.02, 0.04, 0.04, 0.06], atol=1e-6)
    assert strengths(jnp.ones(6), ada_p=0.79, updates=2)[-1] == pytest.approx(0.8)
    assert strengths(-jnp.ones(6), ada_p=0.03, updates=8)[-1] == 0
    assert strengths(-jnp.ones(6), ada_p=0.3, ada_images=0.0)[-1] == pytest.approx(0.3)
    # five of six are real: a mean sign of 2/3, above 0.6 and below 0.7
    most = jnp.array([1.0, 1, 1, 1, 1, -1])
    assert strengths(most)[-1] > 0 == strengths(most, ada_target=0.7)[-1]


def test_p_of_a_schedule_is_no_state():
    """R3GAN's p, .275 at the half of .55: the share of images that are mirrored or
    not, as a flip of one in two shows half of the gates."""
    settings = Settings(ada='flip', ada_p_end=0.55)
    assert adaptive.terms(settings, 10, LOSSES['relativistic']) == {}
    augment = adaptive.augmentation(settings)
    x = jnp.broadcast_to(jnp.arange(4.0)[None, :, None], (4000, 4, 4, 1))
    keys = jax.random.split(jax.random.key(0), 4000)
    for progress, p in ((0.0, 0.0), (0.5, 0.275), (1.0, 0.55)):
        mirrored = np.any(augment(keys, x, {}, progress) != x, (1, 2, 3)).mean()
        assert abs(mirrored - p / 2) < 0.02
    assert '0 to 0.55' in adaptive.words(settings)


def test_p_is_by_the_boundary_of_the_loss_or_by_pairs():
    assert strengths(jnp.full(6, 0.4), 'least_squares')[-1] == 0
    assert strengths(jnp.full(6, 0.6), 'least_squares')[-1] > 0
    fake = d_view().fake_logits  # of T(G(z))
    for loss in ('relativistic', 'wasserstein'):
        assert strengths(fake + 1, loss)[-1] > 0 == strengths(fake - 1, loss)[-1]


def linear(size=40):
    """Styles of a generator without noise whose images are sum_l A_l w_l, of 8x8."""
    shapes = (3, 5, 8 * 8 * 2)
    matrices = jax.random.normal(jax.random.key(0), shapes) / 4

    def draw(variables, ws, keys=None):
        images = jnp.einsum('bld,ldp->bp', ws, variables['params'] * matrices)
        return images.reshape(-1, 8, 8, 2)

    def styles(variables, z, label=None, keys=None, key=None):
        return jnp.broadcast_to(z[:, None], (len(z), 3, 5))

    pair = SimpleNamespace(
        auxiliary='',
        prior=latents.make(5),
        styles=SimpleNamespace(map=styles, draw=draw, layers=3),
    )
    keys = jax.random.split(jax.random.key(5), size)
    view = g_view(
        params=jnp.ones(()),
        fake=jnp.zeros((size, 8, 8, 2)),
        keys=keys,
        state=jnp.array(0.5),
    )
    return pair, view, matrices


def test_path_lengths_of_a_linear_generator():
    """E |J^T y|^2 = sum_l |A_l|^2 / (layers x pixels), each layer by itself."""
    pair, view, matrices = linear(4000)
    (term,) = g_terms(pair, path_length_weight=2.0, path_length_decay=0.0).values()
    loss, metrics = jax.jit(lambda a: term.value(replace(view, state=a)))(0.0)
    expected = jnp.sum(matrices**2) / (3 * 64)
    np.testing.assert_allclose(loss / 2, expected, rtol=0.02)  # a = 0: the mean square
    assert metrics['path_length'] ** 2 < loss / 2


@pytest.mark.slow
def test_the_mean_of_path_lengths_is_within_the_graph():
    """With s a factor of all lengths, l_i = s l_i(1), and the loss in closed form."""
    pair, view, _ = linear()
    made = g_terms(pair, path_length_weight=2.0, path_length_decay=0.1)
    (term,) = made.values()
    assert term.formula == '2 path every 4 updates'

    def loss(s):
        return term.value(replace(view, params=s))[0]

    unit = float(term.value(view)[1]['path_length'])
    (plain,) = g_terms(pair, path_length_weight=1.0, path_length_decay=0.0).values()
    square = float(plain.value(replace(view, state=jnp.array(0.0)))[0])

    def closed(s):
        a = 0.5 + 0.1 * (s * unit - 0.5)
        return 2 * (s**2 * square - 2 * a * s * unit + a**2)

    for function in (lambda f: f(1.3), lambda f: jax.grad(f)(1.3)):
        np.testing.assert_allclose(function(loss), function(closed), rtol=1e-4)
    seen = added(made, lambda name: replace(view, update=jnp.array(8)))[1]
    after = term.advance(view.state, seen, None)
    np.testing.assert_allclose(after, 0.5 + 0.1 * (unit - 0.5), rtol=1e-5)
    idle = added(made, lambda name: replace(view, update=jnp.array(9)))[1]
    assert term.advance(view.state, idle, None) == view.state


def test_path_lengths_are_of_styles():
    pair = SimpleNamespace(auxiliary='', styles=None)
    with pytest.raises(UserError, match='path_length_weight=2 is of styles'):
        g_terms(pair, path_length_weight=2.0)
