"""The one place that rounds, and pictures that say where they came from."""

import numpy as np
from PIL import Image

from gan_vae import images


def test_uint8_ends_middle_and_round_trip():
    np.testing.assert_array_equal(
        images.to_uint8(np.array([-1.0, 1.0, 0.0, -9.0, 9.0])), [0, 255, 128, 0, 255]
    )
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(images.to_uint8(images.from_uint8(every)), every)
    steps = images.to_uint8(np.linspace(-1, 1, 10_000))
    assert (np.diff(steps.astype(int)) >= 0).all()


def test_grid_holds_each_image_in_order():
    batch = np.arange(5 * 4 * 3 * 3, dtype=np.uint8).reshape(5, 4, 3, 3)
    sheet = images.grid(batch, columns=2, pad=2)
    assert sheet.shape == (3 * 6 + 2, 2 * 5 + 2, 3)
    np.testing.assert_array_equal(sheet[2:6, 7:10], batch[1])
    np.testing.assert_array_equal(sheet[14:18, 2:5], batch[4])


def test_png_keeps_pixels_and_provenance(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
    about = {'config': 'x', 'seed': 3}
    images.save_png(tmp_path / 'a' / 'x.png', image, about)
    assert images.read_provenance(tmp_path / 'a' / 'x.png') == about
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / 'a/x.png')), image[..., 0]
    )


def test_time_lapse_follows_the_steps(tmp_path):
    for step, value in ((100, 10), (20, 200), (3, 90)):
        images.save_png(tmp_path / f'{step}.png', np.full((4, 4, 3), value, np.uint8))
    assert images.time_lapse(tmp_path, tmp_path / 'all.gif')
    gif = Image.open(tmp_path / 'all.gif')
    shades = []
    for frame in range(3):
        gif.seek(frame)
        shades.append(gif.convert('RGB').getpixel((0, 0))[0])
    assert shades == [90, 200, 10]
