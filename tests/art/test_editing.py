"""Plain adjustments against what each means; what is carried and what is refused."""

import numpy as np
import pytest
from PIL import Image

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import editing

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (6, 10, 3), dtype=np.uint8)


def edited(**changes):
    return np.asarray(editing.edit(Image.fromarray(PICTURE), changes))


def test_what_each_adjustment_means():
    np.testing.assert_array_equal(edited(crop=(2, 1, 4, 3)), PICTURE[1:4, 2:6])
    np.testing.assert_array_equal(edited(flip='horizontal'), PICTURE[:, ::-1])
    np.testing.assert_array_equal(edited(flip='vertical'), PICTURE[::-1])
    np.testing.assert_array_equal(edited(tile=(3, 2)), np.tile(PICTURE, (2, 3, 1)))
    zoomed = PICTURE.repeat(3, 0).repeat(3, 1)
    np.testing.assert_array_equal(edited(zoom=3), zoomed)
    double = np.minimum(PICTURE.astype(int) * 2, 255)
    assert np.abs(edited(exposure=2.2).astype(int) - double).max() <= 1
    luma = PICTURE @ [0.299, 0.587, 0.114]
    assert np.abs(edited(saturation=0.0) - luma[..., None]).max() <= 1
    assert np.abs(edited(contrast=0.0) - luma.mean()).max() <= 1
    assert edited(size=(5, 0)).shape == (3, 5, 3)
    assert edited(size=(7, 9)).shape == (9, 7, 3)
    wide = Image.new('L', (1000, 1))
    assert editing.edit(wide, {'size': (10, 0)}).size == (10, 1)
    few = edited(palette=4).reshape(-1, 3)
    assert 2 <= len(np.unique(few, axis=0)) <= 4


def test_the_order_is_that_which_is_said():
    changes = {'tile': (2, 1), 'zoom': 2, 'size': (3, 0), 'crop': (0, 0, 6, 6)}
    made = edited(**changes)
    step = edited(crop=(0, 0, 6, 6), size=(3, 0))
    expected = np.tile(step.repeat(2, 0).repeat(2, 1), (1, 2, 1))
    np.testing.assert_array_equal(made, expected)


def test_pictures_of_every_mode(tmp_path):
    picture = Image.fromarray(PICTURE)
    clear = picture.convert('RGBA')
    alpha = RNG.integers(0, 256, (6, 10), dtype=np.uint8)
    clear.putalpha(Image.fromarray(alpha))
    deep = Image.fromarray(RNG.integers(0, 65536, (6, 10)).astype(np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    saved = {
        'clear.png': clear,
        'grey.png': picture.convert('L'),
        'bits.png': picture.convert('1'),
        'palette.png': picture.quantize(16),
        'cmyk.jpg': picture.convert('CMYK'),
        'deep.png': deep,
        'turned.jpg': picture,
    }
    for name, one in saved.items():
        more = {'exif': exif} if name == 'turned.jpg' else {}
        one.save(tmp_path / name, **more)
    words = ['edit', *(str(tmp_path / name) for name in saved), '--saturation=1']
    out = tmp_path / 'out'
    assert art.main([*words, '--exposure=0', f'--out={out}']) == 0
    made = [Image.open(out / f'{n:05d}.png') for n in range(len(saved))]
    assert [m.mode for m in made] == ['RGBA', 'L', 'L', 'RGB', 'RGB', 'L', 'RGB']
    assert [m.size for m in made[-2:]] == [(10, 6), (6, 10)]
    np.testing.assert_array_equal(np.asarray(made[0]), np.asarray(clear))
    high = np.asarray(deep) / 257
    np.testing.assert_allclose(np.asarray(made[5]), high, atol=1)
    words = ['edit', str(tmp_path / 'clear.png'), '--exposure=1', '--palette=3']
    assert art.main([*words, f'--out={tmp_path / "few"}']) == 0
    few = np.asarray(Image.open(tmp_path / 'few/00000.png'))
    np.testing.assert_array_equal(few[..., 3], np.where(alpha < 128, 0, 255))
    assert len(np.unique(few[..., :3].reshape(-1, 3), axis=0)) <= 3


def test_a_latent_is_carried_while_it_is_true(models, tmp_path, capsys):
    run, first = f'--workdir={models["vae_emoji"]}', tmp_path / 'first'
    assert art.main(['sample', run, '--num=2', f'--out={first}']) == 0
    file = first / '00001.png'
    size = Image.open(file).size
    for name, flag, kept in (
        ('whole', f'--crop=0,0,{size[0]},{size[1]}', True),
        ('same', '--contrast=1', True),
        ('part', f'--crop=1,0,{size[0] - 1},{size[1]}', False),
        ('other', '--exposure=1', False),
    ):
        out = tmp_path / name
        assert art.main(['edit', str(file), flag, f'--out={out}']) == 0
        about = images.read_provenance(out / '00000.png')
        before = images.read_provenance(file)
        assert about.get('latent') == (before['latent'] if kept else None)
        assert about.get('model') == (before['model'] if kept else None)
        assert [one['latent'] for one in about['ancestors'].values()] == [
            before['latent']
        ]
        again = tmp_path / f'{name}-again'
        words = ['reproduce', str(out / '00000.png'), f'--out={again}']
        words.append(f'--inputs={file}')
        assert art.main(words) == 0
        assert 'bit for bit' in capsys.readouterr().out


@pytest.mark.parametrize(
    'words, message',
    [
        ('p.png', 'edit needs one of --crop'),
        ('p.png --crop=1,2,3', 'is not X,Y,W,H'),
        ('p.png --crop=8,0,3,3', 'p.png: --crop=8,0,3,3: not within 10x6'),
        ('p.png --crop=0,0,0,3', 'not within'),
        ('p.png --crop=-1,0,3,3', 'is not X,Y,W,H'),
        ('p.png --flip=left', "unknown --flip 'left'; one of: horizontal, vertical"),
        ('p.png --exposure=nan', 'must be from -10 to 10'),
        ('p.png --contrast=-1', 'must be from 0'),
        ('p.png --size=0', 'is not N'),
        ('p.png --size=4x', 'is not WxH'),
        ('p.png --size=16384x16384', 'too many'),
        ('p.png --palette=257', 'from 1 to 256'),
        ('p.png --zoom=64 --tile=500x500', 'too many'),
        ('p.png --tile=2', 'is not NxM'),
        ('film.gif --size=4', 'film.gif: GIF is not'),
        ('film.png --size=4', 'film.png: a film'),
        ('film.webp --size=4', 'film.webp: a film'),
        ('nothing.png --size=4', 'nothing.png'),
        ('text.png --size=4', 'text.png: not an image'),
    ],
)
def test_mistakes_are_one_line(place, refused, words, message):
    refused(['edit', *words.split()], message, place)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A picture, films, and what is neither."""
    folder, picture = tmp_path_factory.mktemp('place'), Image.fromarray(PICTURE)
    picture.save(folder / 'p.png')
    (folder / 'text.png').write_text('text')
    for name in ('film.gif', 'film.png', 'film.webp'):
        more = [picture.rotate(180)]
        picture.save(folder / name, save_all=True, append_images=more)
    return folder
