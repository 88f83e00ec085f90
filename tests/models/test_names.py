"""Networks are found by name, in the package and in modules of the user's own."""

import dataclasses
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from gan_vae import config as config_lib
from gan_vae import methods, models
from gan_vae.data.source import Spec
from gan_vae.errors import UserError

ALL = [(role, name) for role in models.roles() for name in models.names(role)]

UNET = '''
"""A U-Net that turns noise, laid out as a picture, into a picture."""
from typing import Any

import jax.numpy as jnp
from flax import linen as nn

NETWORKS = {'generator': {'unet': ('UNet', {'scales': 2})}}

class UNet(nn.Module):
    image_size: int
    channels: int
    width: int = 8
    scales: int = 1
    dtype: Any = None

    @nn.compact
    def __call__(self, z, train=False):
        size, skips = self.image_size, []
        x = nn.Dense(size * size)(z).reshape(-1, size, size, 1)
        for scale in range(self.scales):
            x = nn.relu(nn.Conv(self.width << scale, (3, 3))(x))
            skips.append(x)
            x = nn.avg_pool(x, (2, 2), (2, 2))
        for skip in reversed(skips):
            x = jnp.concatenate([x.repeat(2, 1).repeat(2, 2), skip], -1)
            x = nn.relu(nn.Conv(self.width, (3, 3))(x))
        return nn.tanh(nn.Conv(self.channels, (3, 3))(x))
'''
OTHERS = """
from flax import linen as nn
from gan_vae.models import dcgan

NETWORKS = {
    'generator': {'a': ('A', {}), 'b': ('A', {'width': 3}), 'dropping': ('C', {})}
}

class A(dcgan.Generator):
    depth: int = 2

class C(dcgan.Generator):
    dropout: float = 0.0

class Discriminator(dcgan.Discriminator):
    dropout: float = 0.0
"""
ODD = """
from .others import A

NETWORKS: dict = {
    'generator': {'near': ('Near', {'depth': 5}), 'wrong': ('Near', {'dpth': 5})},
    'decoder': {'plain': ('Plain', {})},
}

class Near(A):
    extra: int = 1

class Plain:
    width: int = 1
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Runs in a folder that has a package of the user's own."""
    folder = tmp_path / 'mine'
    folder.mkdir()
    (folder / 'unet.py').write_text(UNET)
    (folder / 'others.py').write_text(OTHERS)
    (folder / 'odd.py').write_text(ODD)
    (folder / 'broken.py').write_text('NETWORKS = {"generator": make()}')
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [m for m in sys.modules if m.partition('.')[0] == 'mine']:
        del sys.modules[name]


def load(config_file='configs/dcgan_emoji.py:tiny', **model):
    return config_lib.load(config_file, {f'model.{k}': v for k, v in model.items()})


@pytest.mark.parametrize('role, name', ALL)
def test_fields_from_the_source_are_those_of_the_class(role, name):
    network = models.make(role, name, classes=2, codes=2, words=2, length=2)
    fixed = models.find(role, name).fixed
    fields = {f.name for f in dataclasses.fields(network)} - {'parent', 'name', *fixed}
    assert set(models.fields_of(role, name)) == fields
    assert {k: getattr(network, k) for k in fixed} == fixed


def test_names_fields_and_errors_need_no_jax():
    code = f"""
import sys
from gan_vae import config, errors, models
for role, name in {ALL}:
    models.check(role, name, ''), models.fields_of(role, name)
try:
    config.load('configs/dcgan_emoji.py', {{'model.generator': 'dcgn'}})
except errors.UserError as error:
    print(error)
print(sorted(m for m in ('jax', 'flax', 'tensorflow') if m in sys.modules))
"""
    output = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert output[0].startswith(
        "unknown config.model.generator 'dcgn' (did you mean 'dcgan'?); one of: biggan"
    )
    assert output[1:] == ['[]']


def test_a_network_of_the_users_own_is_one_module(mine):
    config = load(generator='mine.unet', width='4')
    method = methods.make(config, Spec(16, 16, 3))
    state = jax.eval_shape(method.init, jax.random.key(0))
    scales = [k for k in state.params['generator'] if k.startswith('Conv_')]
    assert len(scales) == 2 + 2 + 1  # the fixed field is set
    images = jax.eval_shape(
        lambda s: method.generate(s.weights(), jax.random.key(0), 2), state
    )
    assert images.shape == (2, 16, 16, 3)
    assert models.fields_of('generator', 'mine.unet') == (
        'image_size',
        'channels',
        'width',
        'dtype',
    )


def test_several_networks_and_bases_in_a_module_of_the_users_own(mine):
    network = models.make('generator', 'mine.others.b', image_size=8, width=7)
    assert (network.width, network.depth, network.image_size) == (3, 2, 8)
    assert 'width' not in models.fields_of('generator', 'mine.others.b')
    near = models.make('generator', 'mine.odd.near')  # of a relative import
    assert (near.depth, near.extra) == (5, 1)
    assert models.fields_of('generator', 'mine.odd.near')[-2:] == ('dtype', 'extra')
    load(discriminator='mine.others', dropout='0.3')  # by the class's own name
    assert models.make('discriminator', 'mine.others', dropout=0.3).dropout == 0.3


@pytest.mark.parametrize(
    'model, message',
    [
        ({'generator': 'dcgn'}, "unknown config.model.generator 'dcgn' (did you mean"),
        ({'generator': 'mine.unett'}, 'config.model.generator=mine.unett: no module'),
        ({'generator': 'yours.unet'}, "no module 'yours' in the working directory"),
        ({'generator': 'mine.others'}, 'several networks; one of: mine.others.a, mine'),
        ({'generator': 'mine.others.c'}, "(did you mean 'mine.others.b'?)"),
        (
            {'generator': 'mine.broken'},
            'NETWORKS cannot be read as a literal {role: {name: (class, {f',
        ),
        ({'discriminator': 'mine.unet'}, 'neither in NETWORKS nor as a class Discrim'),
        ({'dropout': '0.3'}, 'config.model.dropout=0.3: no network of this run has it'),
        (  # it is the discriminator's, whatever the generator has
            {'generator': 'mine.others.dropping', 'dropout': '0.3'},
            'config.model.dropout=0.3: no network of this run has it',
        ),
    ],
)
def test_mistakes_are_one_line(mine, model, message):
    with pytest.raises(UserError) as error:
        load(**model)
    assert message in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize(
    'role, name, message',
    [
        ('generator', 'wrong', "NETWORKS sets 'dpth', no field of Near"),
        ('decoder', 'plain', 'Plain is no flax.linen.Module'),
    ],
)
def test_classes_that_do_not_fit_are_one_line(mine, role, name, message):
    with pytest.raises(UserError, match=f'^config.model.{role}=mine.odd: {message}$'):
        models.make(role, f'mine.odd.{name}')


def test_a_syntax_error_is_named_by_its_line(mine):
    (mine / 'unfinished.py').write_text('\nclass Generator(\n')
    with pytest.raises(UserError, match="unfinished.py, line 2: '\\(' was never"):
        load(generator='mine.unfinished')


def test_a_network_without_precisions_is_one_line(mine):
    (mine / 'fixed.py').write_text(
        'from flax import linen as nn\nclass Decoder(nn.Module):\n    width: int = 1\n'
    )
    with pytest.raises(UserError, match="the decoder 'mine.fixed' computes in float32"):
        models.make('decoder', 'mine.fixed', dtype=jnp.dtype('bfloat16'))
