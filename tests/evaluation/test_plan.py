"""Requests of metrics: intervals, arguments, modules of a user's own, mistakes."""

import subprocess
import sys

import numpy as np
import pytest

from gan_vae import extractors
from gan_vae.data.source import Examples
from gan_vae.devices.mesh import mesh_of
from gan_vae.errors import UserError
from gan_vae.evaluation import metrics, plan
from gan_vae.evaluation.panel import Panel, Pictures

MODULES = {
    'brightness': """
from gan_vae.evaluation.metrics import SampleMetric
METRIC = SampleMetric(
    needs='images',
    compute=lambda real, fake, held_out, seed, gain=1: {
        'brightness': gain * (fake.mean() - real.mean())
    },
    gives={'brightness': ''},
    options={'gain': 1},
)
""",
    'spread_of': """
from gan_vae.evaluation.metrics import LOWER, SampleMetric
METRIC = SampleMetric(
    needs='features',
    compute=lambda real, fake, held_out, seed: {'spread': fake.std()},
    gives={'spread': LOWER},
    within_classes=True,
)
""",
    'eyes': """
import jax.numpy as jnp
from gan_vae.extractors import Extractor
def load():
    def apply(params, images):
        return {'features': jnp.asarray(images, jnp.float32).mean((1, 2))}
    return Extractor('eyes', 'ab', 0, 'none', {}, apply)
""",
    'nothing': '',
    'broken': '1 / 0',
}


@pytest.fixture(autouse=True)
def own_modules(tmp_path, monkeypatch):
    """The package `mine` in the current folder, as a user has it."""
    monkeypatch.setenv('GAN_VAE_CACHE', str(tmp_path / 'cache'))
    (tmp_path / 'mine').mkdir()
    for name, text in MODULES.items():
        (tmp_path / 'mine' / f'{name}.py').write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [*sys.path])
    yield
    for name in [n for n in sys.modules if n.partition('.')[0] == 'mine']:
        del sys.modules[name]


def noise(n, seed, shade=100):
    return np.random.default_rng(seed).integers(0, shade, (n, 8, 8, 3), np.uint8)


def test_metrics_and_extractors_of_a_users_own_are_one_module_each():
    text = 'mine.brightness,mine.spread_of_pixels,mine.spread_of_mine.eyes,fd_mine.eyes'
    reference = Pictures('noise', Examples(noise(120, 0)))
    cards = Panel(text, reference, mesh_of(1, 1)).measure(noise(60, 1, 200), {})
    titles = ['brightness', 'spread_pixels', 'spread_mine.eyes', 'fd_mine.eyes']
    assert list(cards) == titles == plan.parse(text).results
    want = noise(60, 1, 200).mean() - noise(120, 0).mean()
    assert cards['brightness'].value == pytest.approx(want)
    assert cards['brightness'].null == pytest.approx(0, abs=3)
    assert cards['fd_mine.eyes'].extractor == 'mine.eyes'
    assert plan.parse('intra_mine.spread_of_pixels')[0].within


def test_intervals_and_numbers_of_samples():
    requests = plan.parse('swd@4, fid@6:num=50,kid_pixels,pr_pixels:k=5:num=9,mig')
    assert [(r.every, r.num, r.options) for r in requests] == [
        (4, 0, ''),
        (6, 50, ''),
        (0, 0, ''),
        (0, 9, 'k=5'),
        (0, 0, ''),
    ]

    def due(*arguments):
        return ' '.join(request.name for request in requests.due(*arguments))

    assert due(12, False) == 'swd fid'
    assert due(8, True) == 'swd kid_pixels pr_pixels mig'
    assert due(7, False) == '' and due(7, False, 'recall_pixels') == 'pr_pixels'
    assert due(7, True, 'fid') == 'fid kid_pixels pr_pixels mig'
    assert [r.num for r in requests.sized(100)] == [100, 50, 100, 9, 0]
    assert plan.parse('') == () and len(plan.parse('swd:num=5,swd:num=5')) == 1


def test_numbers_and_options_reach_the_card():
    reference = Pictures('noise', Examples(noise(200, 0)))
    text = 'swd:num=30,mine.brightness:gain=2,kid_pixels:num=40'
    compared = Panel(text, reference, mesh_of(1, 1))
    samples = noise(60, 1)
    cards = compared.measure(samples, {})
    alone = Panel('swd,kid_pixels,mine.brightness', reference, mesh_of(1, 1))
    names = ('swd', 'brightness', 'kid_pixels')
    assert [cards[name].n_fake for name in names] == [30, 60, 40]

    def value(name, num):
        return alone.measure(samples[:num], {})[name].value

    assert cards['swd'].value == value('swd', 30)
    assert cards['kid_pixels'].value == value('kid_pixels', 40)
    twice = cards['brightness']
    assert twice.value == 2 * value('brightness', 60)
    assert twice.options == 'gain=2' and twice.line().startswith('brightness (gain=2) ')
    with pytest.raises(UserError, match='kid_pixels:num=40: there are 20 samples'):
        compared.measure(samples[:20], {}, due=compared.plan[2:])


@pytest.mark.parametrize(
    'text, message',
    [
        ('iwae', 'write iwae_K with a number, as iwae_64'),
        ('distance_pixels', "extractor with maps .*'pixels'; one of: random, vgg_hed"),
        ('swd@x', 'write swd@STEPS, as swd@1000'),
        ('swd@0', 'write swd@STEPS'),
        ('swd:nmu=3', "no argument 'nmu' .did you mean 'num'.*it has: patches"),
        ('swd:num', 'is not KEY=NUMBER'),
        ('swd:num=1.5', 'give a whole number above 0'),
        ('swd:num=0', 'give a whole number above 0'),
        ('swd,swd:num=5', 'swd is measured twice, in different ways'),
        ('mig:num=5', "no argument 'num'; it has: none"),
        ('fid_random', 'takes no extractor'),
        (
            'mine.bright',
            "there is no module mine.bright .did you mean 'mine.brightness'",
        ),
        ('mine.nothing', 'the module mine.nothing has no METRIC'),
        ('mine.broken', 'module mine.broken: ZeroDivisionError: division by zero'),
        ('mine.brightness_random', 'takes no extractor'),
        (
            'fd_mine.ears',
            "metric 'fd_mine.ears': 'mine.ears': there is no module",
        ),
        ('ppl_mine.eyes', "its EXTRACTOR does not say 'maps'"),
    ],
)
def test_mistakes_are_one_line(text, message):
    with pytest.raises(UserError, match=message) as error:
        plan.parse(text)
    assert '\n' not in str(error.value)


def test_wrong_names_need_no_jax():
    code = """
import sys
from gan_vae.evaluation import plan
trees = ('dci', 'sap')  # of scikit-learn, which need not be installed
names = [n for n in plan.metrics.examples() if n not in trees]
for text in ('fdi', 'kid_randon', ','.join(names)):
    try:
        print(len(plan.parse(text)))
    except Exception as error:
        print(error)
print('jax' in sys.modules)
"""
    env = {'PYTHONPATH': ':'.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, env=env
    )
    lines = done.stdout.splitlines()
    assert "did you mean 'fid'" in lines[0] and "did you mean 'random'" in lines[1]
    assert int(lines[2]) == len(metrics.examples()) - 2 > 20 and lines[3] == 'False'


def test_extractors_are_the_modules_with_the_literal():
    assert extractors.names('maps') == ['random', 'vgg_hed']
    assert extractors.names('examples') == ['classifier']
    assert {'inception', 'pixels'} < {*extractors.names()}
    assert 'resize' not in extractors.names()
