"""Metrics of a model: what they are of, and that each is of the right method."""

import dataclasses

import jax
import numpy as np
import pytest

from gan_vae import config as config_lib
from gan_vae import data, extractors
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out, plan, trained_model
from gan_vae.runs.program import build


def trained(file, **changes):
    changes = {'parallel.devices': '1', 'data.image_size': '16'} | changes
    config = config_lib.load(f'configs/{file}.py:tiny', changes)
    program = build(config, Spec(16, 16, 3))
    state = jax.jit(program.method.init)(jax.random.key(0))
    examples = data.examples(config.data, 'test[:150]')  # a batch and a half
    return trained_model.TrainedModel(config, program, state.weights(), examples)


def with_parts(model, section, **parts):
    """The model, whose method has other functions in `latents` or `density`."""
    method = model.program.method
    changed = dataclasses.replace(getattr(method, section), **parts)
    method = dataclasses.replace(method, **{section: changed})
    return model._replace(program=model.program._replace(method=method))


def measure(name, model):
    (request,) = plan.parse(name)
    return trained_model.measure(request, model)


@pytest.fixture(scope='module')
def vae():
    return trained('vae_emoji', **{'data.binarize': 'none'})


@pytest.mark.slow
def test_one_draw_of_the_bound_is_the_elbo(vae):
    state = jax.jit(vae.program.method.init)(jax.random.key(0))
    elbo = held_out.evaluate(vae.program, state, vae.examples, 50)['elbo']
    (bound, _), (better, how) = (
        measure(name, vae)[name] for name in ('iwae_1', 'iwae_16')
    )
    assert abs(bound - elbo) < 0.02 * abs(elbo) and better > bound
    assert 'K=16' in how


@pytest.mark.slow
def test_reconstructions_and_latents(vae):
    pairs = measure('pairs', vae)
    assert 0 < pairs['psnr'][0] < 30 and -1 < pairs['ssim'][0] < 1
    assert 0 < measure('distance_random', vae)['distance_random'][0] < 8
    assert measure('rfd_random', vae)['rfd_random'][0] > 0
    found = measure('latents', vae)
    assert 0 <= found['active_units'][0] <= 8 and found['collapsed'][0] in (0, 1)


@pytest.mark.slow
def test_reconstructions_of_codes_have_no_latents():
    """Those of a tokeniser that gives every picture back are at no distance."""
    model = trained('vq_vae_art')
    method = dataclasses.replace(model.program.method, reconstruct=lambda weights, x: x)
    exact = model._replace(program=model.program._replace(method=method))
    assert measure('pairs', exact)['ssim'][0] == pytest.approx(1)
    assert abs(measure('rfd_random', exact)['rfd_random'][0]) < 1e-6
    assert measure('pairs', model)['ssim'][0] < 0.9
    assert measure('rfd_random', model)['rfd_random'][0] > 0.01


def test_disentanglement_of_codes_that_are_the_factors(vae):
    factors = np.stack(list(vae.examples.factors.values()), -1).astype(np.float32)
    first = vae._replace(examples=vae.examples.take(np.arange(trained_model.BATCH)))
    perfect = with_parts(
        first,
        'latents',
        encode=lambda weights, x, _: jax.numpy.asarray(factors)[: len(x)],
    )
    assert measure('mig', perfect)['mig'][0] > 0.5
    assert measure('mig', vae)['mig'][0] < 0.4


def test_path_length_of_a_generator():
    gan = trained('dcgan_emoji')
    (length, how) = measure('ppl_random:paths=100', gan)['ppl_random']
    assert 0 < length < np.inf and 'epsilon' in how
    still = with_parts(
        gan, 'latents', decode=lambda weights, z: jax.numpy.zeros((len(z), 16, 16, 3))
    )
    assert measure('ppl_random:paths=100', still)['ppl_random'][0] == 0


def test_a_second_evaluation_traces_nothing(vae, monkeypatch):
    """Of the same program, as in training, with other weights."""
    traces = []

    def counted(name, function):
        def counting(*arguments):
            traces.append(name)
            return function(*arguments)

        return counting

    small = vae._replace(examples=vae.examples.take(np.arange(20)))
    parts = {'density': ('log_weight',), 'latents': ('posterior', 'encode', 'decode')}
    for section, names in parts.items():
        functions = getattr(vae.program.method, section)
        counting = {n: counted(n, getattr(functions, n)) for n in names}
        small = with_parts(small, section, **counting)
    apply = counted('maps', lambda params, images: {'map': images * params})
    monkeypatch.setattr(
        extractors,
        'load',
        lambda name: extractors.Extractor(name, '', 0, 'none', np.ones(3), apply),
    )

    def values(model):
        names = (
            'iwae_2',
            'latents',
            'pairs',
            'distance_random',
            'mig',
            'ppl_random:paths=100',
        )
        return [measure(name, model) for name in names]

    first = values(small)
    assert {*traces} == {'maps', *parts['density'], *parts['latents']}
    traces.clear()
    other = jax.jit(vae.program.method.init)(jax.random.key(1)).weights()
    again = values(small._replace(weights=other))
    assert all(a != b for a, b in zip(first, again, strict=True))
    assert not traces


@pytest.mark.parametrize(
    'file, name, message',
    [
        ('dcgan_emoji', 'iwae_8', 'needs a likelihood of pixels'),
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
