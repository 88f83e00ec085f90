"""The taste that choices show, and how sure it is, against what is known."""

import json

import numpy as np
import pytest
from scipy import optimize, special, stats

from gan_vae.art import __main__ as art
from gan_vae.art import taste
from gan_vae.data import emoji

D = 5
MEAN = np.array([0.3, 0.3, 0, 0, 0])
SPREAD = np.array([0.5, 0.5, 2, 2, 2])


def choices(x, w, count, rng):
    """Rows of what is chosen and what is not, by Bradley and Terry."""
    i = rng.integers(0, len(x), count)
    j = (i + rng.integers(1, len(x), count)) % len(x)
    first = rng.random(count) < special.expit((x[i] - x[j]) @ w)
    return np.where(first, i, j), np.where(first, j, i)


@pytest.mark.parametrize('count, scale', [(0, 1), (1, 1), (8, 1), (60, 1), (60, 30)])
def test_the_mode_and_the_deviations_are_those_of_the_posterior(count, scale):
    rng = np.random.default_rng(count)
    x = rng.normal(size=(30, D)) * scale
    better, worse = choices(x, rng.normal(size=D), count, rng)
    gaps = x[better] - x[worse]

    def loss(w):
        return (
            -special.log_expit(gaps @ w).sum() + np.sum(((w - MEAN) / SPREAD) ** 2) / 2
        )

    def slope(w):
        return -gaps.T @ special.expit(-gaps @ w) + (w - MEAN) / SPREAD**2

    mode = optimize.minimize(loss, MEAN, jac=slope, options={'gtol': 1e-9}).x
    chance = special.expit(gaps @ mode)
    curve = (gaps.T * (chance * (1 - chance))) @ gaps + np.diag(SPREAD**-2.0)
    learned = taste.learn(x[better], x[worse], MEAN, SPREAD)
    np.testing.assert_allclose(learned.mean, mode, atol=1e-5)
    mean, deviation = taste.score(learned, x)
    np.testing.assert_allclose(mean, x @ mode, atol=1e-5 * scale * D)
    covariance = np.linalg.inv(curve)
    expected = np.sqrt(np.einsum('nd,de,ne->n', x, covariance, x))
    np.testing.assert_allclose(deviation, expected, rtol=1e-4)


@pytest.mark.slow
def test_deviations_hold_nearly_what_they_say_and_shrink():
    """90 of 100 are to be within 1.645: see the module for what a mode gives."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, D))
    inside, sizes = {}, {}
    for count in (5, 30, 120):
        held, size = [], []
        for _ in range(300):
            w = MEAN + SPREAD * rng.normal(size=D)
            better, worse = choices(x, w, count, rng)
            learned = taste.learn(x[better], x[worse], MEAN, SPREAD)
            mean, deviation = taste.score(learned, x)
            held.append(np.abs(x @ w - mean) < 1.645 * deviation)
            size.append(deviation.mean())
        inside[count], sizes[count] = np.mean(held), np.mean(size)
    assert all(0.82 < share < 0.92 for share in inside.values()), inside
    assert sizes[5] > 1.3 * sizes[30] > 1.3**2 * sizes[120]
    assert sizes[5] < np.sqrt(np.square(x * SPREAD).sum(1)).mean()  # the prior's


@pytest.mark.slow
def test_a_planted_order_is_found_and_others_choices_are_told():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(60, D)), np.array([0.2, 0, 3, -3, 1])
    better, worse = x[np.stack(choices(x, w, 400, rng))]
    mean, _ = taste.score(taste.learn(better, worse, MEAN, SPREAD), x)
    assert stats.spearmanr(mean, x @ w).statistic > 0.97
    told = taste.agreement(better, worse, MEAN, SPREAD, np.arange(400))
    possible = np.sum((better - worse) @ w > 0)
    assert 0.9 * possible < told < 1.05 * possible
    # by coin, of so much that each could be learned by heart: no more than chance
    pairs = rng.normal(size=(2, 60, 300))
    none = np.zeros(300), np.ones(300)
    told = taste.agreement(*pairs, *none, np.arange(60))
    assert 15 < told < 45
    # said three times each it is no more: a choice does not tell itself
    again, of = np.tile(pairs, (1, 3, 1)), np.tile(np.arange(60), 3)
    assert taste.agreement(*again, *none, of) == 3 * told
    learned = taste.learn(*pairs, np.zeros(300), np.ones(300))
    assert ((pairs[0] - pairs[1]) @ learned.mean > 0).all()


def test_statistics_of_pictures_that_are_known():
    grey = np.full((8, 8, 3), 90, np.uint8)
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    halves = grey.copy()
    halves[:, 4:] = 110
    found = taste.statistics([grey, red, halves])
    np.testing.assert_allclose(found[0], 0, atol=1e-9)
    assert found[1, 0] == pytest.approx(0.3 * np.hypot(255, 127.5))
    assert found[1, 1:] == pytest.approx(0, abs=1e-9)
    # luma 90 and 110; its Laplacian is +20 and -20 beside the edge, 0 elsewhere
    assert found[2] == pytest.approx([0, 10, np.log1p(10)])


@pytest.fixture(scope='module')
def index(tmp_path_factory):
    out = tmp_path_factory.mktemp('taste') / 'i'
    words = ['index', 'emoji:test', '--features=pixels', f'--out={out}']
    assert art.main(words) == 0
    return out


def test_rank_learns_a_taste_for_faces(index, tmp_path, capsys):
    """By numbers, names and files; text and JSON give the same."""
    from PIL import Image

    images, labels, names, _ = emoji.load('test')
    rng = np.random.default_rng(0)
    faces, others = (np.flatnonzero(labels == k) for k in (0, 6))
    pairs = [[str(rng.choice(faces)), str(rng.choice(others))] for _ in range(40)]
    file = tmp_path / 'a face.png'
    Image.fromarray(images[faces[0]]).save(file)
    other = others[0]
    pairs += [[str(file), f'{other} {names[other]}']]
    text = ['# what I like', '', *(f'"{a}" "{b}" # yes' for a, b in pairs)]
    (tmp_path / 'p.txt').write_text('\n'.join(text))
    (tmp_path / 'p.json').write_text(json.dumps(pairs))
    found = []
    for kind in ('txt', 'json'):
        words = ['rank', f'--index={index}', f'--pairs={tmp_path}/p.{kind}']
        assert art.main([*words, f'--out={tmp_path / kind}']) == 0
        told = capsys.readouterr().out
        assert 'of 41 choices' in told and 'few' not in told
        found.append(json.loads((tmp_path / f'{kind}.json').read_text())['found'])
    assert found[0] == found[1] and found[0]['told'] > 33
    order = [int(one['name'].split()[0]) for one in found[0]['ranked']]
    place = np.argsort(order)
    above = np.mean(place[faces][:, None] < place[labels != 0])
    assert above > 0.8  # of all pairs of a face and another; 0.5 by chance
    # a picture from elsewhere, by the same taste
    words = ['rank', str(file), f'--index={index}', f'--pairs={tmp_path}/p.txt']
    assert art.main([*words, f'--out={tmp_path / "one"}']) == 0
    one = json.loads((tmp_path / 'one.json').read_text())['found']['ranked']
    same = next(r for r in found[0]['ranked'] if r['name'].startswith(f'{faces[0]} '))
    assert one[0]['score'] == pytest.approx(same['score'], abs=1e-5)
    again = ['reproduce', f'{tmp_path}/one.png', f'--out={tmp_path / "again"}']
    assert art.main([*again, f'--inputs={index}']) == 0


def test_choices_that_are_said_twice_or_taken_back(index, tmp_path, capsys):
    pairs = '0 1\n1 0\n' + '2 3\n' * 9
    (tmp_path / 'p.txt').write_text(pairs)
    words = ['rank', f'--index={index}', f'--pairs={tmp_path}/p.txt']
    assert art.main([*words, f'--out={tmp_path / "o"}']) == 0
    told = capsys.readouterr().out
    assert '1 pairs were chosen both ways' in told and 'first: ' in told
    # 9 of one pair, 2 of another: sqrt(81 + 4) / 2
    assert 'of 11 choices' in told and '5.5 ± 4.6' in told


def test_before_any_choice_it_says_by_what(index, tmp_path, capsys):
    assert art.main(['rank', f'--index={index}', f'--out={tmp_path / "o"}']) == 0
    assert 'colour, contrast and sharpness alone' in capsys.readouterr().out
    ranked = json.loads((tmp_path / 'o.json').read_text())['found']['ranked']
    images = emoji.load('test')[0]
    known = taste.statistics(images)
    score = taste.LIKED * ((known - known.mean(0)) / known.std(0)).sum(1)
    order = [int(one['name'].split()[0]) for one in ranked]
    np.testing.assert_allclose([one['score'] for one in ranked], score[order])


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'no choices'),
        ('1', 'choice 1: two pictures'),
        ('1 2\n3 3', 'choice 2: the same'),
        ('1 2\n"3', 'cannot be read'),
        ('1 999', 'choice 1: 999: no file'),
        ('1 new.png', 'is not in the index'),
        ('\xff', 'choice 1: two pictures'),
        (b'\xff\xfe', 'cannot be read'),
        (None, 'cannot be read'),
    ],
)
def test_choices_that_are_none(index, text, message, tmp_path, refused, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.new('RGB', (40, 40), 'teal').save('new.png')
    if text is not None:
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / 'p.txt').write_bytes(raw)
    refused(['rank', f'--index={index}', '--pairs=p.txt'], message, tmp_path)


@pytest.mark.parametrize('text', ['{"a": 1}', '[1, 2]', '[[1, 2, 3]]', '[' * 100_000])
def test_json_that_is_no_choices(index, text, tmp_path, refused):
    (tmp_path / 'p.json').write_text(text)
    refused(['rank', f'--index={index}', '--pairs=p.json'], '', tmp_path)
