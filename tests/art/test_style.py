"""Style: marginals, fixed points and neighbours that are known; files as they come."""

import json
from functools import partial

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import style
from gan_vae.art.style import colour, gatys, neighbour, patch, score
from gan_vae.extractors import style as objective

WAYS = {
    'colour': colour.sliced,
    'linear': colour.linear,
    'patch': patch.transfer,
    'neighbour': neighbour.transfer,
    'gatys': partial(gatys.transfer, params=objective.network('random')),
}


def smooth(seed, height, width):
    """A picture of random colours, uint8 [height, width, 3], with some flat areas."""
    random = np.random.default_rng(seed)
    coarse = np.uint8(random.integers(0, 256, (5, 4, 3)))
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    picture = np.asarray(picture).copy()
    picture[: height // 4, : width // 3] = 255
    return picture


def task(content, *styles, weights=(1.0,), strength=1.0, steps=2, seed=0):
    content, *styles = (images.from_uint8(p) for p in (content, *styles))

    def progress(steps, _):
        return iter(steps)

    return style.Task(content, styles, list(weights), strength, steps, seed, progress)


@pytest.mark.parametrize('way', WAYS)
def test_what_lacks_nothing_is_left_as_it_is(way):
    content, other = smooth(0, 20, 90), smooth(1, 30, 24)
    none = WAYS[way](task(content, other, strength=0.0))
    np.testing.assert_array_equal(none, images.from_uint8(content))
    own = WAYS[way](task(content, content))
    np.testing.assert_array_equal(images.to_uint8(own), content)
    moved = WAYS[way](task(content, other))
    assert moved.dtype == np.float32 and moved.shape == content.shape
    before, after = (
        score.distance(image, [other], [1.0])
        for image in (content, images.to_uint8(moved))
    )
    assert after < 0.9 * before


@pytest.mark.parametrize('way', ['colour', 'patch', 'neighbour', 'gatys'])
def test_a_way_that_is_stopped_has_a_picture_with_all_detail(way):
    content = smooth(0, 20, 90)
    asked = task(content, smooth(1, 30, 24), strength=0.0, steps=3)
    made = WAYS[way](asked._replace(ticks=lambda of, what: iter(list(of)[:2])))
    np.testing.assert_array_equal(made, images.from_uint8(content))


def test_marginals_of_colours_are_those_of_the_style():
    random = np.random.default_rng(0)
    content, other = random.uniform(-1, 1, (2, 12, 9, 3)).astype(np.float32)
    other = other**3
    asked = task(smooth(0, 9, 9), smooth(0, 9, 9))._replace(steps=5)
    made = colour.sliced(asked._replace(content=content, styles=[other]))
    for channel in range(3):
        np.testing.assert_allclose(
            np.sort(made[..., channel], None),
            np.sort(other[..., channel], None),
            atol=1e-6,
        )
    # of sizes that differ, and along any axis: the quantiles, as NumPy has them
    values = random.standard_normal(57)
    at = (np.arange(23) + 0.5) / 23
    np.testing.assert_allclose(
        colour.quantiles(values, 23), np.quantile(values, at, method='hazen')
    )
    made = colour.linear(asked._replace(content=content, styles=[other]))
    flat, wanted = made.reshape(-1, 3), other.reshape(-1, 3)
    np.testing.assert_allclose(flat.mean(0), wanted.mean(0), atol=1e-6)
    np.testing.assert_allclose(np.cov(flat.T), np.cov(wanted.T), atol=1e-5)


def test_equal_colours_stay_equal_and_styles_are_averaged():
    content = smooth(0, 16, 16)
    made = colour.sliced(task(content, smooth(1, 16, 16), steps=4))
    assert (made[:4, :5] == made[0, 0]).all()
    dark, light = (np.full((8, 8, 3), level, np.uint8) for level in (0, 255))
    for way in ('colour', 'linear', 'patch'):
        asked = task(content, dark, light, weights=(0.25, 0.75), steps=100)
        made = WAYS[way](asked)
        np.testing.assert_allclose(made.mean(), 0.5, atol=0.03)


def test_distance_is_that_of_brute_force():
    a, b = smooth(0, 17, 13), smooth(1, 11, 20)
    toward = patch.unit_filters(np.random.default_rng(0), score.DIRECTIONS)

    def responses(image, u):
        height, width, _ = image.shape
        return [
            (np.float64(image[y : y + 7, x : x + 7]) * u).sum()
            for y in range(height - 6)
            for x in range(width - 6)
        ]

    by_hand = np.mean(
        [wasserstein_distance(*(responses(i, u) for i in (a, b))) for u in toward]
    )
    np.testing.assert_allclose(score.distance(a, [b], [1.0]), by_hand, rtol=1e-5)


def test_neighbours_are_those_of_brute_force(monkeypatch):
    monkeypatch.setattr(neighbour, 'BLOCK', 16)
    random = np.random.default_rng(0)
    queries, keys = random.standard_normal((2, 41, 147)).astype(np.float32)
    keys, weights = keys[:30], random.uniform(0.5, 2, 30)
    distances = cdist(queries, keys, 'sqeuclidean') / 147
    for alpha in (0.005, np.inf):
        divisor = weights if alpha == np.inf else weights * (alpha + distances.min(0))
        np.testing.assert_array_equal(
            neighbour.nearest(queries, keys, weights, alpha),
            np.argmin(distances / divisor, 1),
        )
    # each picture is the vote of its own patches, to the last pixel
    picture = random.uniform(-1, 1, (23, 19, 3)).astype(np.float32)
    for stride in (1, 3):
        made = neighbour.voted(
            neighbour.patches(picture, stride), picture.shape, stride
        )
        np.testing.assert_allclose(made, picture, atol=1e-6)


def saved(path, picture, **how):
    Image.fromarray(picture).save(path, **how)
    return str(path)


def made_by(words, out):
    assert art.main(['style', *words, f'--out={out}']) == 0
    return np.asarray(Image.open(out / '00000.png'))


def test_files_masks_and_the_same_again(tmp_path, capsys):
    content, other = smooth(0, 40, 60), smooth(1, 24, 24)
    files = [saved(tmp_path / 'c.png', content), saved(tmp_path / 's.jpg', other)]
    hole = np.zeros((40, 60), np.uint8)
    hole[10:30, 20:50] = 255
    hole[15:20, 30:35] = 0
    hole[10:30, 40:50] = 128
    mask = f'--mask={saved(tmp_path / "m.png", hole)}'
    for method, more in (
        ('patch', ['--steps=2', '--colours=keep']),
        ('colour', ['--weights=0.3,0.7', files[1]]),
    ):
        out = tmp_path / method
        made = made_by([*files, *more, mask, f'--method={method}'], out)
        np.testing.assert_array_equal(made[hole == 0], content[hole == 0])
        assert np.abs(made[hole > 0] - np.float32(content[hole > 0])).max() > 5
        words = ['reproduce', str(out / '00000.png'), f'--out={tmp_path / "n"}']
        assert art.main([*words, '--force']) == 0
        found = json.loads((tmp_path / f'{method}.json').read_text())['found']
        assert found['distance'] < found['distance_before']
    assert '-> ' in capsys.readouterr().out
    # grey of a mask is half of the way
    full = made_by([*files, '--method=linear'], tmp_path / 'full')
    every = saved(tmp_path / 'grey.png', np.full((4, 6), 51, np.uint8))
    words = [*files, '--method=linear', f'--mask={every}']
    fifth = np.float32(content) + 0.2 * (np.float32(full) - content)
    assert np.abs(made_by(words, tmp_path / 'fifth') - fifth).max() <= 1
    # colours kept: blue and red less luma as they were, where nothing was cut off
    words = [*files, '--steps=9', '--colours=keep']
    old, new = map(np.float32, (content, made_by(words, tmp_path / 'keep')))
    whole = ((new > 0) & (new < 255)).all(-1)
    change = (new - old)[whole]
    assert whole.mean() > 0.3 and np.ptp(change, axis=-1).max() <= 1
    assert np.abs(change).max() > 5


def test_pictures_as_they_come(tmp_path):
    content = smooth(0, 30, 30)
    clear = np.dstack([content, np.tile(np.uint8(np.arange(30) * 8), (30, 1))])
    grey = saved(tmp_path / 'g.png', content[..., 0])
    cmyk = tmp_path / 'c.jpg'
    Image.fromarray(content).convert('CMYK').save(cmyk)
    dot = saved(tmp_path / 'dot.png', content[:1, :1])
    words = [saved(tmp_path / 'a.png', clear), grey, str(cmyk), '--method=colour']
    made = made_by(words, tmp_path / 'alpha')
    np.testing.assert_array_equal(made[..., 3], clear[..., 3])
    made = made_by([dot, grey, '--method=linear'], tmp_path / 'one')
    assert made.shape == (1, 1, 3)
    words = [dot, dot, grey, '--size=20', '--steps=1', '--weights=1,0']
    made = made_by([*words, '--method=neighbour'], tmp_path / 'large')
    np.testing.assert_array_equal(made, np.tile(content[:1, :1], (20, 20, 1)))


@pytest.mark.parametrize(
    'words, message',
    [
        ('c.png', 'style takes a picture and one or more'),
        ('c.png c.png --method=oil', 'unknown --method'),
        ('c.png c.png --strength=1.5', '--strength=1.5'),
        ('c.png c.png --strength=nan', '--strength=nan'),
        ('c.png c.png --weights=1,2', '--weights=1,2: 1 numbers'),
        ('c.png c.png --weights=nan', '--weights=nan'),
        ('c.png c.png --colours=all', 'unknown --colours'),
        ('c.png c.png --steps=0', '--steps=0'),
        ('c.png c.png --size=100000', '--size=100000'),
        ('c.png c.png --method=linear --steps=3', 'is done in one'),
        ('c.png c.png --features=random', 'are of --method=gatys'),
        ('c.png c.png --method=gatys --features=vgg', 'unknown features'),
        ('c.png c.png --method=gatys', 'gan_vae.data.prepare hed'),
        ('c.png c.png --mask=black.png', 'has no white'),
        ('c.png c.png --mask=c.png,c.png,c.png', '3 masks for 1 styles'),
        ('c.png c.png c.png --mask=c.png,c.png --weights=1,2', 'take them or masks'),
        ('c.png c.png --mask=wide.png', 'of another shape'),
        ('c.png dot.png --method=patch --size=5', 'too small'),
        ('c.png film.gif', 'is not PNG'),
        ('c.png none.png', 'none.png'),
        ('c.png c.png --workdir=run', 'no run in run'),
        ('c.png c.png --workdir=pretrained:emoji_vae', 'and patch needs none'),
        ('c.png --method=fast', '--method=fast needs --workdir=RUN'),
        ('c.png --method=fast --workdir=pretrained:emoji_vae', 'learned no style'),
    ],
)
def test_mistakes_are_one_line(place, refused, monkeypatch, words, message):
    monkeypatch.setenv('TFDS_DATA_DIR', str(place))
    refused(['style', *words.split()], message, place)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """Pictures that go together, and that do not."""
    folder = tmp_path_factory.mktemp('place')
    saved(folder / 'c.png', smooth(0, 20, 20))
    saved(folder / 'dot.png', smooth(0, 20, 20)[:1, :1])
    saved(folder / 'black.png', np.zeros((20, 20), np.uint8))
    saved(folder / 'wide.png', np.full((20, 90), 255, np.uint8))
    frames = [Image.new('RGB', (9, 9), c) for c in ('red', 'blue')]
    frames[0].save(folder / 'film.gif', save_all=True, append_images=frames[1:])
    return folder


def test_each_style_in_its_own_place(tmp_path):
    content, first, second = (
        saved(tmp_path / f'{n}.png', smooth(n, 24, 30)) for n in range(3)
    )
    masks = np.zeros((2, 24, 30), np.uint8)
    masks[0, 2:20, 1:12], masks[1, 3:22, 14:29] = 255, 255
    left, right = (saved(tmp_path / f'm{n}.png', m) for n, m in enumerate(masks))
    more = ['--method=linear']
    both = made_by(
        [content, first, second, f'--mask={left},{right}', *more], tmp_path / 'o'
    )
    alone = [
        made_by([content, s, f'--mask={m}', *more], tmp_path / f'o{n}')
        for n, (s, m) in enumerate(((first, left), (second, right)))
    ]
    plain = np.asarray(Image.open(content))
    inside = masks > 0
    np.testing.assert_array_equal(both[inside[0]], alone[0][inside[0]])
    np.testing.assert_array_equal(both[inside[1]], alone[1][inside[1]])
    np.testing.assert_array_equal(both[~inside.any(0)], plain[~inside.any(0)])
    # the same place twice: half of each
    words = [content, first, second, f'--mask={left},{left}', *more]
    half = made_by(words, tmp_path / 'h')[inside[0]].astype(float)
    other = made_by([content, second, f'--mask={left}', *more], tmp_path / 'x')
    mean = (alone[0][inside[0]].astype(float) + other[inside[0]]) / 2
    assert np.abs(half - mean).max() <= 1
    assert (
        art.main(['reproduce', str(tmp_path / 'o/00000.png'), f'--out={tmp_path}/r'])
        == 0
    )
