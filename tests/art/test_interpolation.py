"""Ways go through their stops, and even ones at one speed."""

import av
import numpy as np
import pytest
from PIL import Image

from gan_vae.art import __main__ as art
from gan_vae.art import interpolation

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('how', interpolation.WAYS)
def test_a_way_goes_through_its_stops_and_back_the_same(how):
    stops = RNG.standard_normal((4, 9)).astype(np.float32)
    np.testing.assert_allclose(
        interpolation.along(stops, np.arange(4.0), how), stops, atol=1e-6
    )
    places = RNG.random(30) * 3
    there = interpolation.along(stops, places, how)
    back = interpolation.along(stops[::-1], 3 - places, how)
    np.testing.assert_allclose(there, back, atol=1e-5)


def test_arcs_stay_on_the_sphere_and_lines_do_not():
    stops = RNG.standard_normal((3, 20))
    stops /= np.linalg.norm(stops, axis=1, keepdims=True)
    places = np.linspace(0, 2, 41)
    lengths = [
        np.linalg.norm(interpolation.along(stops, places, how), axis=1)
        for how in ('slerp', 'lerp')
    ]
    np.testing.assert_allclose(lengths[0], 1, atol=1e-6)
    assert lengths[1].min() < 0.9
    same = np.stack([stops[0], 2 * stops[0]])
    arc, line = (
        interpolation.along(same, np.array([0.3]), h) for h in ('slerp', 'lerp')
    )
    np.testing.assert_allclose(arc, line, atol=1e-6)


@pytest.mark.parametrize('loop', [False, True])
def test_an_even_way_has_one_speed(loop):
    flat = RNG.standard_normal((8, 8, 1))

    def draw(places):  # slow at first, then fast
        return (np.asarray(places) ** 3)[:, None, None, None] * flat

    places = interpolation.even(draw, 2.0, 12, loop)
    assert len(places) == 12 and places[0] == 0 and (places[-1] == 2) != loop
    steps = interpolation.apart(draw(places))
    assert steps.max() / steps.min() < 1.1
    plain = interpolation.apart(draw(2 * interpolation.shares(12, loop)))
    assert plain.max() / plain.min() > 10
    # a stop at which nothing changes is no stop of the film
    still = interpolation.even(lambda p: np.ones((len(p), 4, 4, 1)), 2.0, 5, loop)
    np.testing.assert_allclose(still, 2 * interpolation.shares(5, loop), atol=1e-9)


def test_distances_are_of_three_sizes():
    pictures = RNG.standard_normal((2, 4, 4, 3))
    step = pictures[1] - pictures[0]
    half = step.reshape(2, 2, 2, 2, 3).mean((1, 3))
    total = sum(np.mean(s**2) for s in (step, half, half.mean((0, 1))))
    np.testing.assert_allclose(interpolation.apart(pictures), [np.sqrt(total)])


def test_pictures_of_a_way(models, tmp_path):
    run = f'--workdir={models["dcgan_emoji"]}'
    for name, flags, count in (
        ('a', [], 2 * 4 + 1),
        ('b', ['--loop'], 3 * 4),
        ('c', ['--loop', '--even', '--how=lerp'], 3 * 4),
    ):
        words = ['interpolate', '1', '2', '3', run, '--num=5', *flags]
        assert art.main([*words, f'--out={tmp_path / name}']) == 0
        files = sorted((tmp_path / name).iterdir())
        assert len(files) == count
        assert len({f.read_bytes() for f in files}) == count


def test_a_film_says_what_it_is_and_is_made_again(models, tmp_path, capsys):
    run = f'--workdir={models["dcgan_emoji"]}'
    out = tmp_path / 'way'
    words = ['interpolate', '1', '2', run, '--num=4', '--movie=mp4', f'--out={out}']
    assert art.main(words) == 0
    film = tmp_path / 'way.mp4'
    with av.open(str(film)) as container:
        frames = [f.to_ndarray(format='rgb24') for f in container.decode(video=0)]
    assert len(frames) == 4
    for number, frame in enumerate(frames):
        picture = np.asarray(Image.open(out / f'{number:05d}.png').convert('RGB'))
        zoom = len(frame) // len(picture)
        assert len(frame) >= 256
        small = frame[zoom // 2 :: zoom, zoom // 2 :: zoom].astype(float)
        assert np.abs(small - picture).mean() < 12  # colours are half as fine
    alone = tmp_path / 'sent.mp4'  # to somebody else, without its folder
    film.rename(alone)
    words = ['reproduce', str(alone), run, f'--out={tmp_path / "again"}']
    assert art.main(words) == 0
    assert 'bit for bit' in capsys.readouterr().out
    alone.write_bytes(b'no film')
    assert art.main([*words, '--force']) == 2
    assert 'does not say how it was made' in capsys.readouterr().err
