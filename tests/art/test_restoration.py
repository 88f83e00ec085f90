"""The tools that look for latents: what is seen stays, and mistakes are one line."""

import numpy as np
import pytest
from PIL import Image

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import inversion, latents
from gan_vae.art.degradations import LUMA, Small
from gan_vae.methods import sampling

FEW = ['--steps=3', '--restarts=2', '--num=2']


@pytest.fixture(scope='module')
def picture(tmp_path_factory, models, opened):
    """A picture of the model's size, and its file."""
    run = opened(models['vae_emoji'])
    size = run.config.data.image_size
    rng = np.random.default_rng(0)
    found = rng.integers(60, 190, (size, size, 3), dtype=np.uint8)
    file = tmp_path_factory.mktemp('given') / 'given.png'
    images.save_png(file, found)
    return found, file


def make(models, tmp_path, *words):
    out = tmp_path / 'out'
    command = [*map(str, words), f'--workdir={models["vae_emoji"]}', f'--out={out}']
    assert art.main([*command, *FEW]) == 0
    return [np.asarray(Image.open(f)) for f in sorted(out.iterdir())]


@pytest.mark.slow
def test_pixels_that_are_seen_stay_as_they_are(models, picture, tmp_path, capsys):
    given, file = picture
    hole = np.zeros(given.shape[:2], bool)
    hole[2:5, 1:4] = True
    made = make(models, tmp_path / 'a', 'inpaint', file, '--box=1,2,3,3')
    assert len(made) == 5 and 'plausible, not recovered' in capsys.readouterr().out
    for picture in made[:4]:  # the best, two samples and their mean
        np.testing.assert_array_equal(picture[~hole], given[~hole])
        assert (picture[hole] != given[hole]).any()
    assert not made[4][~hole].any()
    # the same hole as a mask, and as what is transparent
    mask, clear = tmp_path / 'mask.png', tmp_path / 'clear.png'
    images.save_png(mask, 255 * hole[..., None].astype(np.uint8))
    alpha = 255 * ~hole[..., None]
    images.save_png(clear, np.concatenate([given, alpha], -1).astype(np.uint8))
    for number, words in enumerate(([file, f'--mask={mask}'], [clear])):
        again = make(models, tmp_path / f'b{number}', 'inpaint', *words)
        np.testing.assert_array_equal(again[0], made[0])


@pytest.mark.slow
def test_what_is_seen_small_or_grey_stays_so(models, picture, tmp_path):
    given, file = picture
    how = Small(2)
    wanted = Image.fromarray(given).resize((given.shape[1] // 2,) * 2, Image.LANCZOS)
    wanted.save(tmp_path / 'small.png')
    small = make(models, tmp_path / 'a', 'upscale', tmp_path / 'small.png')[0]
    inside = (small > 0).all() and (small < 255).all()
    if inside:  # else what is clipped moves a mean
        seen = np.asarray(how.seen(small[None].astype(np.float32)))[0]
        assert np.abs(seen - np.asarray(wanted)).max() < 1.01
    grey = make(models, tmp_path / 'b', 'colourise', file)[0]
    kept = ((grey > 0) & (grey < 255)).all(-1)
    assert kept.mean() > 0.5
    assert np.abs(grey.astype(float) @ LUMA - given @ LUMA)[kept].max() < 1.01


@pytest.mark.slow
def test_a_projection_carries_its_latent(models, opened, tmp_path, capsys):
    run = opened(models['vae_emoji'])
    words = ['sample', f'--workdir={models["vae_emoji"]}', '--num=1', '--seed=9']
    assert art.main([*words, f'--out={tmp_path / "s"}']) == 0
    file = tmp_path / 'plain.png'  # without its latent
    Image.fromarray(np.asarray(Image.open(tmp_path / 's/00000.png'))).save(file)
    words = ['project', file, f'--workdir={models["vae_emoji"]}', '--steps=60']
    out = tmp_path / 'p'
    assert art.main([*map(str, words), f'--out={out}', '--restarts=3']) == 0
    about = images.read_provenance(out / '00000.png')
    told = capsys.readouterr().out
    assert about['psnr'] > 25 and f'{about["psnr"]:.1f} dB\n' in told
    z = latents.unpacked('', about['latent'], latents.size(run))
    made = np.asarray(Image.open(out / '00000.png'))
    np.testing.assert_array_equal(
        sampling.decode(run.method, run.weights, z[None])[0], made
    )
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(file)
    assert art.main([*map(str, words), f'--out={tmp_path / "n"}', '--restarts=3']) == 0
    told = capsys.readouterr().out
    assert '64x64, made 32x32' in told and 'no nearer than one flat colour' in told


@pytest.mark.slow
def test_a_model_of_classes_finds_its_class_or_is_told(make_model, tmp_path, picture):
    overrides = {'method.conditional': 'True'}
    workdir = make_model(tmp_path, 'vae_emoji', classes=('a', 'b', 'c'), **overrides)
    for number, words in enumerate(([], ['--class=b'])):
        for tool in ('project', 'denoise'):
            out = tmp_path / f'{tool}{number}'
            command = [tool, str(picture[1]), f'--workdir={workdir}', f'--out={out}']
            few = FEW[: 2 if tool == 'project' else 3]
            assert art.main([*command, *words, *few]) == 0
        about = images.read_provenance(tmp_path / f'project{number}' / '00000.png')
        assert about['class'] in ('a', 'b') if number == 0 else about['class'] == 'b'
    words = ['breed', str(tmp_path / 'project1/00000.png'), '2']
    command = [*words, f'--workdir={workdir}', f'--out={tmp_path / "c"}']
    assert art.main(command) == 0
    children = sorted((tmp_path / 'c').iterdir())
    found = {images.read_provenance(child)['class'] for child in children}
    assert found == {'b', 'c'}  # sample 2 is of c


def test_the_best_of_many_starts_is_the_first():
    def decode(state, z, labels):
        return (z**2 - 1).reshape(-1, 1, 1, 1)

    y = np.full((1, 1, 1), 3.0, np.float32)  # z = 2 or -2; from 0 there is no way
    starts = np.array([[0.0], [1.0], [-1.5]], np.float32)
    found = inversion.invert(decode, None, y, starts, steps=300, weight=0.0)
    np.testing.assert_allclose(np.abs(found.z[:2, 0]), 2, atol=0.01)
    assert found.order[2] == 0 and found.loss[2] > 1


@pytest.mark.parametrize(
    'words, message',
    [
        ('inpaint {p}', 'no transparent part'),
        ('inpaint {p} --box=1,2,3', '--box=1,2,3'),
        ('inpaint {p} --box=6,6,30,30', 'within'),
        ('inpaint {p} --mask={e}', 'nothing is missing'),
        ('inpaint {p} --mask={f}', 'everything is missing'),
        ('inpaint {p} --mask={o}', 'make them of one size'),
        ('inpaint {p} --mask=none.png', 'none.png'),
        ('inpaint {p} --mask={e} --box=1,1,2,2', 'take one'),
        ('inpaint none.png', 'none.png: no such file'),
        ('inpaint .', '.: a folder'),
        ('inpaint {g} --box=1,1,2,2', 'GIF is not'),
        ('inpaint', 'takes PICTURE'),
        ('upscale {p} --factor=3', '--factor=3'),
        ('upscale {p}', 'edit --size=16'),
        ('upscale {s} --num=-1', '--num=-1'),
        ('denoise {p} --sigma=-1', '--sigma=-1'),
        ('denoise {p} --steps=0', '--steps=0'),
        ('deblur {p} --radius=0', '--radius=0'),
        ('deblur {p} --radius=1e9', '--radius=1e+09'),
        ('project {p} --class=cat', 'no classes'),
        ('project {p} --restarts=0', '--restarts=0'),
    ],
)
def test_mistakes_are_one_line(models, place, refused, words, message):
    places = {name: f'{name}.png' for name in 'efops'} | {'g': 'g.gif'}
    command = words.format(**places).split()
    refused([*command, f'--workdir={models["vae_emoji"]}'], message, place)


@pytest.fixture(scope='module')
def place(picture, tmp_path_factory):
    """Masks that do not fit, a film, and the picture."""
    folder, size = tmp_path_factory.mktemp('place'), picture[0].shape[:2]
    for name, side, level in (('e', size, 0), ('f', size, 255), ('o', (5, 9), 255)):
        level = np.full((*side, 1), level, np.uint8)
        images.save_png(folder / f'{name}.png', level)
    images.save_png(folder / 'p.png', picture[0])
    images.save_png(folder / 's.png', picture[0][:16, :16])
    images.save_gif(folder / 'g.gif', [picture[0]] * 2)
    return folder


@pytest.mark.parametrize('tool', ['project', 'denoise'])
def test_what_is_done_again_compiles_nothing(
    tool, models, picture, tmp_path, compilations
):
    """Or the memory of the studio grows with each picture."""
    programs = []
    for number in range(3):
        words = [] if tool == 'project' else ['--num=1']
        out, run = tmp_path / f'{number}', models['vae_emoji']
        common = ['--steps=2', f'--workdir={run}', f'--out={out}']
        assert art.main([tool, str(picture[1]), *words, *common]) == 0
        programs.append(compilations())
    assert programs[1] == programs[2]
