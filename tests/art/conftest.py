"""Models that have learned nothing, for tests of what is made with models."""

from argparse import Namespace
from functools import cache

import jax
import pytest

from gan_vae import config as config_lib
from gan_vae import interrupt
from gan_vae.art import __main__ as art
from gan_vae.art import making, tools
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened as pretrained
from gan_vae.runs import packed


@pytest.fixture
def signals():
    """Inside, signals are answered, as in a command."""
    with interrupt.listening():
        yield


@pytest.fixture(scope='session')
def make_model():
    """(folder, name, seed, half, classes, text, overrides) -> the folder of a packed
    model of the tiny variant of configs/NAME.py, in that folder."""

    def make(folder, name, seed=0, half=False, classes=(), text=None, **overrides):
        config = config_lib.load(f'configs/{name}.py:tiny', overrides)
        made = folder / name
        made.mkdir(parents=True)
        (made / 'config.json').write_text(config_lib.to_json(config))
        if classes:
            run_folder.write_classes(made, classes)
        if text:
            run_folder.write_text(made, text)
        _, method, _ = pretrained.model_of(made)
        weights = jax.jit(method.init)(jax.random.key(seed)).weights()
        about = {'config': config.name, 'step': 0, 'git_commit': ''}
        packed.pack(config, classes, weights, about, made, half, text)
        return made

    return make


@pytest.fixture(scope='session')
def models(tmp_path_factory, make_model):
    """Folders of a VAE and a GAN."""
    folder = tmp_path_factory.mktemp('models')
    return {name: make_model(folder, name) for name in ('vae_emoji', 'dcgan_emoji')}


@pytest.fixture(scope='session')
def opened():
    """workdir -> Model, as a tool is given it."""

    def model(workdir):
        flags = Namespace(workdir=str(workdir), step=None)
        return making.open_model('sample', tools.find('sample'), flags)

    return model


@pytest.fixture(scope='session')
def loaded():
    """making.load, which opens each model once."""
    return cache(making.load)


@pytest.fixture
def refused(loaded, capsys, monkeypatch):
    """(words, message, folder): in that folder, the command `words` ends with status 2
    and one line that has the message, and leaves nothing behind."""

    def check(words, message, folder):
        monkeypatch.setattr(making, 'load', loaded)
        monkeypatch.chdir(folder)
        before = {*folder.rglob('*')}
        capsys.readouterr()
        assert art.main([*map(str, words)]) == 2
        error = capsys.readouterr().err
        assert message in error and error.startswith('gan_vae: ')
        assert error.count('\n') == 1 and {*folder.rglob('*')} == before

    return check
