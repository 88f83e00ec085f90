"""Measures of a model: what they are of, and that each is asked of the right method."""

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import data, extractors
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out, plan, trained_model
from gan_vae.runs.program import build


def held(file, **changes):
    changes = {'parallel.devices': '1', 'data.image_size': '16'} | changes
    config = config_lib.load(f'configs/{file}.py:tiny', changes)
    program = build(config, Spec(16, 16, 3))
    state = jax.jit(program.method.init)(jax.random.key(0))
    examples = data.examples(config.data, 'test[:150]')  # a batch and a half
    return trained_model.TrainedModel(config, program, state, examples)


def measure(name, model):
    (request,) = plan.parse(name)
    return trained_model.measure(request, model)


@pytest.fixture(scope='module')
def vae():
    return held('vae_emoji', **{'data.binarize': 'none'})


def test_one_draw_of_the_bound_is_the_elbo(vae):
    elbo = held_out.evaluate(vae.program, vae.state, vae.examples, 50)['elbo']
    (bound, _), (better, how) = (
        measure(name, vae)[name] for name in ('iwae_1', 'iwae_16')
    )
    assert abs(bound - elbo) < 0.02 * abs(elbo) and better > bound
    assert 'K=16' in how


def test_reconstructions_and_latents(vae):
    pairs = measure('pairs', vae)
    assert 0 < pairs['psnr'][0] < 30 and -1 < pairs['ssim'][0] < 1
    assert 0 < measure('distance_random', vae)['distance_random'][0] < 8
    found = measure('latents', vae)
    assert 0 <= found['active_units'][0] <= 8 and found['collapsed'][0] in (0, 1)


def test_disentanglement_of_codes_that_are_the_factors(vae):
    factors = np.stack(list(vae.examples.factors.values()), -1).astype(np.float32)
    method = vae.program.method._replace(
        encode=lambda state, x, _: jax.numpy.asarray(factors)[: len(x)]
    )
    perfect = vae._replace(
        program=vae.program._replace(method=method),
        examples=vae.examples.take(np.arange(trained_model.BATCH)),
    )
    assert measure('mig', perfect)['mig'][0] > 0.5
    assert measure('mig', vae)['mig'][0] < 0.4


def test_path_length_of_a_generator():
    gan = held('dcgan_emoji')
    (length, how) = measure('ppl_random:paths=100', gan)['ppl_random']
    assert 0 < length < np.inf and 'epsilon' in how
    still = gan.program.method._replace(
        decode=lambda state, z: jax.numpy.zeros((len(z), 16, 16, 3))
    )
    gan = gan._replace(program=gan.program._replace(method=still))
    assert measure('ppl_random:paths=100', gan)['ppl_random'][0] == 0


def test_a_second_evaluation_traces_nothing(vae, monkeypatch):
    """Of the same program, as in training, with other weights."""
    traces = []

    def counted(name, function):
        def counting(*arguments):
            traces.append(name)
            return function(*arguments)

        return counting

    parts = ('log_weight', 'posterior', 'encode', 'decode')
    method = vae.program.method
    method = method._replace(**{n: counted(n, getattr(method, n)) for n in parts})
    program = vae.program._replace(method=method)
    small = vae._replace(program=program, examples=vae.examples.take(np.arange(20)))
    apply = counted('maps', lambda params, images: {'map': images * params})
    monkeypatch.setattr(
        extractors,
        'load',
        lambda name: extractors.Extractor(name, '', 0, 'none', np.ones(3), apply),
    )

    def values(held):
        names = (
            'iwae_2',
            'latents',
            'pairs',
            'distance_random',
            'mig',
            'ppl_random:paths=100',
        )
        return [measure(name, held) for name in names]

    first = values(small)
    assert {*traces} == {*parts, 'maps'}
    traces.clear()
    other = jax.jit(method.init)(jax.random.key(1))
    assert all(
        a != b for a, b in zip(first, values(small._replace(state=other)), strict=True)
    )
    assert not traces


@pytest.mark.parametrize(
    'file, name, message',
    [
        ('dcgan_emoji', 'iwae_8', 'needs an encoder'),
        ('dcgan_emoji', 'pairs', 'needs an encoder'),
        ('vae_gan_emoji', 'iwae_8', 'needs a likelihood of pixels'),
        ('vae_emoji', 'iwae', 'write iwae_K'),
        ('vae_emoji', 'iwae_0', 'write iwae_K'),
        ('vae_emoji', 'ppl_randon', "did you mean 'random'"),
        ('vae_emoji', 'mig_random', 'takes nothing after'),
    ],
)
def test_mistakes_are_one_line(file, name, message):
    config = config_lib.load(f'configs/{file}.py:tiny')
    with pytest.raises(UserError, match=message):
        method = build(config, Spec(32, 32, 3)).method
        trained_model.check(*plan.parse(name), method)


def test_sets_without_factors_are_refused(vae):
    with pytest.raises(UserError, match='no known factors'):
        measure('mig', vae._replace(examples=vae.examples._replace(factors=None)))
