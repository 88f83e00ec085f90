"""The public names: their examples run, they cost no JAX, and check what they take."""

import doctest
import subprocess
import sys

import numpy as np
import pytest

import gan_vae as gv
from gan_vae import api

ROOT = __file__.rsplit('/tests/', 1)[0]
TRAIN = pytest.param('train', marks=pytest.mark.slow)  # that of evaluate trains too
FUNCTIONS = ('load_config', TRAIN, 'open', 'evaluate', 'measure', 'make')
METHODS = ('Model.sample', 'Model.encode', 'Model.decode', 'Model.elbo')


class Values(doctest.OutputChecker):
    """Lets a statement print what it likes, as training does."""

    def check_output(self, want, got, flags):
        return not want or super().check_output(want, got, flags)


@pytest.mark.parametrize('name', [*FUNCTIONS, *METHODS])
def test_the_example_of_a_docstring_runs(name, tmp_path, monkeypatch, capsys):
    (tmp_path / 'configs').symlink_to(f'{ROOT}/configs')
    monkeypatch.chdir(tmp_path)
    (test,) = [
        t
        for t in doctest.DocTestFinder(recurse=False).find(
            eval(f'api.{name}'), name, module=api, globs=dict(vars(api))
        )
        if t.examples
    ]
    messages = []
    doctest.DocTestRunner(Values()).run(test, out=messages.append)
    assert not messages, ''.join(messages)


def test_the_names_are_there_and_importing_them_costs_no_jax():
    code = (
        'import sys, gan_vae as gv; assert not {"numpy", "jax"} & sys.modules.keys();'
        'from gan_vae.sweep import plan; assert callable(gv.sweep);'
        'names = [getattr(gv, n) for n in gv.__all__ if n != "Method"];'
        'assert "jax" not in sys.modules; gv.Method; gv.__version__;'
        'gv.load_config("configs/vae_emoji.py:tiny", {"method.beta": 2.0})'
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)


@pytest.fixture(scope='module')
def vae():
    return gv.open('pretrained:emoji_vae')


@pytest.fixture(scope='module')
def gan():
    return gv.open('pretrained:emoji_gan')


IMAGES = np.zeros((2, 32, 32, 3), np.uint8)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda vae, gan: vae.encode(IMAGES / 255), 'give uint8'),
        (lambda vae, gan: vae.encode(IMAGES[:, :16]), 'must have 32x32x3'),
        (lambda vae, gan: vae.encode(IMAGES[0]), r'give \[n, H, W, C\]'),
        (lambda vae, gan: vae.elbo(IMAGES.astype(int)), 'give uint8'),
        (lambda vae, gan: vae.elbo(IMAGES, seed=-1), 'whole number from 0'),
        (lambda vae, gan: gan.elbo(IMAGES), 'a likelihood'),
        (lambda vae, gan: gan.encode(IMAGES), 'an encoder'),
        (lambda vae, gan: vae.decode(np.zeros((2, 7))), r'give \[n, \d+\]'),
        (lambda vae, gan: vae.decode(np.full((1, 7), np.nan)), 'NaN'),
        (lambda vae, gan: vae.sample(0), 'n=0: must be a whole number from 1'),
        (lambda vae, gan: vae.sample(2.0), 'n=2.0: must be a whole number'),
        (lambda vae, gan: vae.sample(2, temperature=-1), 'temperature=-1'),
        (lambda vae, gan: vae.sample(2, truncation=1, temperature=1), 'both narrow'),
        (lambda vae, gan: vae.sample(2, classes='cat'), 'has no classes'),
        (lambda vae, gan: gv.measure(IMAGES / 255, IMAGES), 'samples are float64'),
        (lambda vae, gan: gv.measure(IMAGES[:, :16], IMAGES), 'samples have the size'),
        (lambda vae, gan: gv.measure(IMAGES, IMAGES, 'sdw'), "did you mean 'swd'"),
        (lambda vae, gan: gv.open('pretrained:emoji_gna'), 'emoji_gan'),
        (lambda vae, gan: gv.make('sampel', model=gan), "did you mean 'sample'"),
        (lambda vae, gan: gv.make('sample', model=gan, nun=3), "did you mean 'num'"),
        (lambda vae, gan: gv.make('sample', 'a.png', model=gan), 'takes no files'),
    ],
)
def test_mistakes_are_one_line(call, message, vae, gan):
    with pytest.raises(gv.UserError, match=message) as error:
        call(vae, gan)
    assert '\n' not in str(error.value)


def test_a_model_gives_the_same_for_any_number_and_its_classes_by_name(vae, gan):
    three = vae.sample(3, seed=5)
    assert three.dtype == np.uint8 and len(np.unique(three)) > 9
    np.testing.assert_array_equal(vae.sample(70, seed=5)[:3], three)
    z = vae.encode(np.concatenate([three] * 30))  # more than a batch
    assert z.shape == (90, vae.latent_size) and z.dtype == np.float32
    np.testing.assert_allclose(z[:3], z[-3:], atol=1e-5)
    again = vae.decode(z[:3]).astype(int)
    assert (
        np.abs(again - three).mean() < 0.5 * np.abs(again - np.roll(three, 1, 0)).mean()
    )
    bounds = vae.elbo(np.concatenate([three, 255 - three]))
    assert bounds.shape == (6,) and bounds[:3].mean() > bounds[3:].mean()


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (
            lambda: gv.make('edit', np.zeros((8, 8, 3))),
            'takes files, and not a ndarray',
        ),
        (lambda: gv.load_config('configs/vae_emoji.py', ['a']), 'overrides are'),
        (lambda: gv.train(None), 'takes a config or its path'),
    ],
)
def test_what_is_no_argument_is_one_line(call, message):
    with pytest.raises(gv.UserError, match=message):
        call()


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: gv.make('sample'), 'sample needs model=RUN'),
        (lambda: gv.make('rank', 'a.png', model='note.txt'), 'is a file, and not'),
        (lambda: gv.make('sample', model='pretrained:emoji_gan', out='.'), 'out=.: '),
        (lambda: gv.make('sample', model='pretrained:emoji_gan', out='full'), 'force'),
        (lambda: gv.open('pretrained:emoji_gan', 3), 'step=3: '),
        (lambda: gv.train('configs'), 'config=configs is a folder'),
        (lambda: gv.train('configs/vae_emoji.py:tiny', 'note.txt'), 'is a file'),
        (lambda: gv.load_config('configs/vae_emoji.py', {'method.loss': 1}), 'config'),
    ],
)
def test_errors_speak_of_arguments_and_not_of_flags(
    call, message, tmp_path, monkeypatch
):
    (tmp_path / 'configs').symlink_to(f'{ROOT}/configs')
    (tmp_path / 'note.txt').write_text('hello')
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'a.png').write_text('')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(gv.UserError) as error:
        call()
    assert message in str(error.value) and '--' not in str(error.value)
