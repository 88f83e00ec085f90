"""Measures within classes: means by hand, wrong classes seen, mistakes in one line."""

import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import extractors
from gan_vae.data.source import Examples, Spec
from gan_vae.devices.mesh import mesh_of
from gan_vae.errors import UserError
from gan_vae.evaluation import by_class, manifold, panel, plan
from gan_vae.evaluation.card import Card, differences
from gan_vae.evaluation.measures import Measures
from gan_vae.evaluation.metrics import fd, kid
from gan_vae.runs.program import build

NAMES = ('ant', 'bee', 'cat')
ALL = 'intra_fd_random,intra_kid_random,intra_pr_random,intra_dc_random'


def shades(counts, seed, size=8):
    """Noise around a shade for each class, in a random order."""
    draw = np.random.default_rng(seed)
    labels = draw.permutation(np.repeat(np.arange(len(counts)), counts))
    noise = draw.normal(0, 30, (len(labels), size, size, 1))
    images = noise + 70 + 50 * labels[:, None, None, None]
    return Examples(
        np.clip(images, 0, 255).astype(np.uint8), labels.astype(np.int32), NAMES
    )


def means(images, rows=4):
    return images.astype('float32').reshape(len(images), rows, -1).mean(-1)


@pytest.fixture(autouse=True)
def extractor(monkeypatch, tmp_path):
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path))

    def apply(params, images):
        return {'features': means(images, params.shape[0])}

    def load(name, **settings):
        rows = {'random': 4, 'pixels': 64}[name]
        ones = np.ones(rows, np.float32)
        return extractors.Extractor(name, f'{rows}' * 32, 0, 'none', ones, apply)

    monkeypatch.setattr(extractors, 'load', load)


def panel_of(names, reference):
    return panel.Panel(names, panel.Pictures('shades', reference), mesh_of(1, 1))


def test_is_the_mean_of_the_measure_in_each_class():
    reference, made = shades((60, 80, 100), 0), shades((100, 110, 120), 1)
    compared = panel_of(ALL, reference)
    cards = compared.measure(made.images, {}, labels=made.labels)
    each = []
    for label in range(3):
        real, fake = (means(e.images[e.labels == label]) for e in (reference, made))
        found = {'fd': fd.distance_of(real, fake), 'kid': kid.kid(real, fake)}
        found |= manifold.precision_recall(real, fake)
        each.append(found | manifold.density_coverage(real, fake))
    assert cards.keys() == {f'intra_{key}_random' for key in each[0]}
    assert set(plan.parse(ALL).results) == cards.keys()
    for key in each[0]:
        card = cards[f'intra_{key}_random']
        want = {name: found[key] for name, found in zip(NAMES, each, strict=True)}
        got = {name: row['value'] for name, row in card.by_class.items()}
        np.testing.assert_allclose(card.value, np.mean(list(want.values())), rtol=1e-5)
        assert got == pytest.approx(want, rel=1e-5)
        worst = (max if key in ('fd', 'kid') else min)(got, key=got.get)
        assert next(iter(card.by_class)) == worst
        assert f'3 classes of 100 against 60 or more, worst {worst}' in card.line()
        assert (card.n_real, card.n_fake) == (240, 330)
        assert Card(**card.to_dict())._replace(flags=card.flags) == card


def test_null_is_of_each_class():
    """As few pictures of real classes: the value is a null, and far above without."""
    reference, made = shades((80, 60, 200), 0), shades((30, 25, 40), 1)
    card = panel_of('intra_fd_random', reference).measure(
        made.images, {}, labels=made.labels
    )['intra_fd_random']
    assert abs(card.value - card.null) < 5 * card.null_spread
    assert card.null_n == 95 and card.spread is None  # quarters are of 40 or more
    assert card.null == pytest.approx(
        np.mean([row['null'] for row in card.by_class.values()])
    )


def test_pictures_of_the_wrong_class_are_seen_only_within():
    reference, made = shades((60, 60, 60), 0), shades((50, 50, 50), 1)
    compared = panel_of('fd_random,intra_fd_random,intra_kid_random', reference)
    right = compared.measure(made.images, {}, labels=made.labels)
    wrong = compared.measure(made.images, {}, labels=(made.labels + 1) % 3)
    assert wrong['fd_random'].value == right['fd_random'].value
    for name in ('intra_fd_random', 'intra_kid_random'):
        assert wrong[name].value > 20 * abs(right[name].value)
        assert wrong[name].value > wrong[name].null + 20 * wrong[name].null_spread
        nulls = {row['null'] for row in right[name].by_class.values()}
        assert len(nulls) == 3  # each class has its own


def test_order_of_samples_and_of_classes_does_not_matter():
    reference, made = shades((60, 80, 100), 0), shades((60, 50, 70), 1)
    turned = np.array([2, 0, 1])  # the new index of each class
    renamed = reference._replace(
        labels=turned[reference.labels].astype(np.int32),
        class_names=tuple(np.array(NAMES)[np.argsort(turned)].tolist()),
    )
    first = panel_of(ALL, reference).measure(made.images, {}, labels=made.labels)
    again = panel_of(ALL, renamed).measure(
        made.images[::-1], {}, labels=turned[made.labels][::-1]
    )
    for name, card in first.items():
        other = again[name]
        np.testing.assert_allclose(other.value, card.value, rtol=1e-5)
        np.testing.assert_allclose(other.null, card.null, rtol=1e-5)
        for label, row in card.by_class.items():
            assert other.by_class[label] == pytest.approx(row, rel=1e-5)


def test_smallest_class_is_flagged_and_belongs_to_the_protocol():
    compared = panel_of('intra_fd_pixels', shades((100, 100, 100), 0))

    def card(*counts):
        made = shades(counts, 1)
        return compared.measure(made.images, {}, labels=made.labels)['intra_fd_pixels']

    few, more = card(50, 90, 90), card(76, 77, 77)
    assert '(50 in the smallest class)' in few.flags[0]
    assert not any('dimensions' in flag for flag in more.flags)
    assert differences(few, more) == [
        'classes: 3 classes of 50 against 100 or more, 3 classes of 76 against 100 or '
        'more'
    ]


@pytest.mark.parametrize(
    'counts, labels, message',
    [
        ((60, 60, 60), None, 'the samples have no classes'),
        ((60, 60, 60), np.zeros(3, int), '150 samples'),
        ((60, 60, 60), np.zeros(150), 'float64'),
        ((60, 60, 60), np.full(150, 3), 'from 0 to 2'),
        ((60, 60, 60), np.repeat([0, 2], 75), r'too few of bee \(60 and 0\);'),
        ((60, 39, 39), np.repeat([0, 1, 2], 50), r'bee \(39 and 50\), cat \(39'),
        ((180, 0, 0), np.repeat([0, 0, 2], 50), r'cat \(0 and 50\);'),
    ],
)
def test_unfit_classes_are_one_line(counts, labels, message):
    compared = panel_of('intra_fd_random', shades(counts, 0))
    with pytest.raises(UserError, match=message):
        compared.measure(shades((50, 50, 50), 1).images, {}, labels=labels)


def test_reference_without_classes_is_refused():
    plain = shades((60, 60, 60), 0)
    for reference in (plain._replace(labels=None), plain._replace(class_names=())):
        with pytest.raises(UserError, match='cas: the reference shades does not have'):
            panel_of('cas', reference)


def test_classes_are_matched_by_name():
    reference = shades((2, 2, 2), 0)
    labels = np.array([0, 1, 0, 1], np.int32)
    made = Examples(np.zeros((4, 8, 8, 1), np.uint8), labels, ('cat', 'ant'))
    places, metrics = ('mine', 'theirs'), ['cas']
    found = by_class.matched(made, reference, places, metrics)
    np.testing.assert_array_equal(found, [2, 0, 2, 0])
    wrong = made._replace(class_names=('cats', 'ant'))
    with pytest.raises(UserError, match="no class 'cats' .did you mean 'cat'"):
        by_class.matched(wrong, reference, places, metrics)
    # A name that no picture has is no mistake.
    by_class.matched(
        made._replace(class_names=('cat', 'ant', 'dog')), reference, *(places, metrics)
    )
    for lacking in (made._replace(labels=None), made._replace(class_names=())):
        with pytest.raises(UserError, match='mine have no classes: put each'):
            by_class.matched(lacking, reference, places, metrics)


def test_names():
    assert plan.parse('intra_fid,cas').results == ['intra_fid', 'cas']
    assert plan.parse('intra_pr_random').results[1] == 'intra_recall_random'
    asked = 'swd,cas,fid,intra_fid,intra_kid_random'
    found = [r.name for r in plan.parse(asked) if r.needs_classes]
    assert found == ['cas', 'intra_fid', 'intra_kid_random']


@pytest.mark.parametrize(
    'name', ['intra_swd', 'intra_vendi_random', 'intra_is', 'intra_fd', 'intra_cas']
)
def test_only_measures_of_two_sets_are_taken_within(name):
    with pytest.raises(UserError, match='unknown metric'):
        plan.parse(name)


def test_runs_without_classes_are_refused_before_anything_is_measured():
    config = config_lib.load('configs/mlp_gan_mnist.py:tiny', {})
    program = build(config, Spec(28, 28, 1))
    with pytest.raises(UserError, match='have no classes: leave cas, intra_fid out'):
        Measures(config, program, None, None, metrics='swd,cas,intra_fid')
