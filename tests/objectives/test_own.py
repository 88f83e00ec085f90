"""Losses and likelihoods of the user's own, as the guide adds them."""

import re
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gan_vae import config as config_lib
from gan_vae import methods
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.objectives import adversarial, likelihoods

SPEC = Spec(32, 32, 3)
CONFIGS = {
    'loss': 'configs/dcgan_emoji.py:tiny',
    'likelihood': 'configs/vae_emoji.py:tiny',
}
GUIDE = Path('docs/guides/add_a_loss.md')
ADVERSARIAL = 'from gan_vae.objectives.adversarial import Adversarial\n'
LIKELY = (
    'from gan_vae.objectives.likelihoods import Likelihood\n'
    'def LIKELIHOOD(channels):\n'
    '    return Likelihood(channels, lambda p, o, x: {}, lambda o: {}, "a density")\n'
)
ODD = {
    'three': 'LOSS = 3\nLIKELIHOOD = 3\n',
    'none': '',
    'number': 'def LIKELIHOOD(channels):\n    return channels\n',
    'rows': ADVERSARIAL
    + 'LOSS = Adversarial(lambda r, f: r + f, lambda f, r: f.mean())',
    'pair': ADVERSARIAL + 'LOSS = Adversarial(lambda r, f: 0.0 * r[0], lambda f: f)',
    'total': LIKELY.format('x.sum()', 'o'),
    'small': LIKELY.format('x.sum((1, 2, 3))', 'o[..., :1]'),
}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The files of the guide, in a folder that Python finds, and some odd ones."""
    (tmp_path / 'mine').mkdir()
    text = GUIDE.read_text('utf-8')
    for name, code in re.findall(r'```python\n# (\S+\.py)\n(.*?)```', text, re.DOTALL):
        (tmp_path / name).write_text(code)
    for name, code in ODD.items():
        (tmp_path / 'mine' / f'{name}.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [m for m in sys.modules if m.partition('.')[0] == 'mine']:
        del sys.modules[name]


def test_the_guides_pair_is_its_formula_and_is_what_a_run_says(mine):
    loss = adversarial.named('mine.pearson')
    real, fake = np.array([0.5, -2.0]), np.array([3.0, -1.0])
    value = ((real - 1) ** 2).mean() / 2 + ((fake + 1) ** 2).mean() / 2
    np.testing.assert_allclose(loss.discriminator(real, fake), value)
    np.testing.assert_allclose(loss.generator(fake), (fake**2).mean() / 2)
    config = config_lib.load(CONFIGS['loss'], {'method.loss': 'mine.pearson'})
    assert 'D mine.pearson L_D' in methods.make(config, SPEC).objective


def test_the_guides_likelihood_is_scipys_density(mine):
    own = likelihoods.make('mine.laplace', 3, 10, 1.0)
    mean, x = jax.random.uniform(jax.random.key(0), (2, 4, 5, 5, 3), minval=-1)
    expected = stats.laplace(np.asarray(mean), 0.1).logpdf(np.asarray(x))
    found = own.log_prob({}, mean, x)
    np.testing.assert_allclose(found, expected.sum((1, 2, 3)), rtol=1e-5)
    assert jnp.max(own.mean(3 * mean)) <= 1


@pytest.mark.parametrize(
    'key, name, message',
    [
        ('loss', 'person', "no module mine.person (did you mean 'mine.pearson'?)"),
        ('loss', 'none', "mine.none: the module has no 'LOSS'"),
        ('loss', 'three', 'mine.three: LOSS is int, no gan_vae.objectives.adversarial'),
        ('loss', 'rows', 'discriminator gives (4,) of logits [4], '),
        ('loss', 'pair', 'mine.pair: generator: TypeError: '),
        ('likelihood', 'laplac', "(did you mean 'mine.laplace'?)"),
        ('likelihood', 'three', 'LIKELIHOOD is int, no function'),
        ('likelihood', 'number', 'LIKELIHOOD(channels) is int, no'),
        ('likelihood', 'total', 'log_prob gives () of pictures (4, 8'),
        ('likelihood', 'small', 'mean gives (4, 8, 8, 1) of pictures'),
    ],
)
def test_what_is_said_of_a_wrong_one(mine, key, name, message):
    with pytest.raises(UserError, match=re.escape(message)):
        methods.make(
            config_lib.load(CONFIGS[key], {f'method.{key}': f'mine.{name}'}), SPEC
        )


def test_a_wrong_package_is_told_its_neighbour(mine, tmp_path, monkeypatch):
    path = Path(CONFIGS['loss'].removesuffix(':tiny')).resolve()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"did you mean 'mine'\?"):
        config_lib.load(f'{path}:tiny', {'method.loss': 'nine.pearson'})
