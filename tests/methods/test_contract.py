"""What every method keeps to: averages once, skipped updates, weights in words."""

import collections
import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_vae import config as config_lib
from gan_vae import data, methods
from gan_vae.config import default, sections
from gan_vae.data.sequences import SequenceSpec
from gan_vae.data.source import Source, Spec
from gan_vae.data.texts import Text
from gan_vae.devices.mesh import put
from gan_vae.extractors import style
from gan_vae.learning.state import Occasional, named_leaves
from gan_vae.runs.program import build

METHODS = sections.methods()
BY_DEFAULT = ('gan', 'vae', 'recurrent')  # of one update, which all methods have
SEQUENCES = [n for n in METHODS if sections.method(n).KIND == 'sequences']
PLAIN = {
    'vae': {'model.encoder': 'mlp', 'model.decoder': 'mlp'},
    'gan': {'model.generator': 'mlp', 'model.discriminator': 'mlp'},
} | dict.fromkeys(SEQUENCES, {'data.name': 'toy_strokes', 'model.hidden': 8})
PLAIN['text_transformer'] = {'data.name': 'toy_text'}


@pytest.fixture
def program(config_of, small):
    """make('vae', {'section.key': value}) -> (Program, a batch), on one device."""

    def make(method, overrides):
        config = config_of(method)
        default.update(config, small(method) | PLAIN.get(method, {}) | overrides)
        examples = data.examples(config.data, config.data.split)
        made = build(config, examples.spec)
        rows = config.data.batch_size * made.method.batches_per_step
        return made, put(Source(examples, rows).batch(0), made.mesh)

    return make


@jax.custom_vjp
def steep(x):
    """x, whose gradient is finite and 1e30 times too large: its norm is not."""
    return x


steep.defvjp(lambda x: (x, None), lambda _, cotangent: (1e30 * cotangent,))


@pytest.mark.slow
@pytest.mark.parametrize(
    'method',
    [
        n if n in BY_DEFAULT else pytest.param(n, marks=pytest.mark.slow)
        for n in METHODS
    ],
)
def test_a_gradient_that_is_not_finite_is_skipped_and_counted(
    method, program, monkeypatch
):
    """By every learner, where the loss is finite."""
    apply = nn.Module.apply

    def applied(self, *arguments, **options):
        def one(x):
            return steep(x) if jnp.issubdtype(x.dtype, jnp.floating) else x

        return jax.tree.map(one, apply(self, *arguments, **options))

    monkeypatch.setattr(nn.Module, 'apply', applied)
    overrides = {'optimizer.skip_ratio': 10.0}
    if method == 'vae':
        overrides['method.disentangle'] = 'factor'
    made, batch = program(method, overrides)
    state = jax.jit(made.method.init)(jax.random.key(0))
    before = named_leaves(state.params)  # the step uses up its state
    after, metrics = made.train_step(state, batch)
    for name, leaf in named_leaves(after.params).items():
        np.testing.assert_array_equal(leaf, before[name], err_msg=name)
    metrics = {  # of the learners that step
        name: getattr(value, 'value', value)
        for name, value in metrics.items()
        if getattr(value, 'acted', 1)
    }
    assert all(np.isfinite(value) for value in metrics.values())
    norms = {k: float(v) for k, v in metrics.items() if k.startswith('gradient')}
    one_by_one = {'tokeniser', 'prior'} <= after.opt_state.keys()
    assert len(norms) == (1 if one_by_one else len(after.opt_state))
    assert set(norms.values()) == {0}
    for name in norms:
        assert metrics[name.replace('gradient', 'skipped')] == 1


def averaged(jaxpr):
    """The shape of each array that a program sums over devices."""
    for equation in jaxpr.eqns:
        if equation.primitive.name.startswith('psum'):
            yield from (x.aval.shape for x in equation.invars)
        for value in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda v: hasattr(v, 'eqns')
        ):
            inner = getattr(value, 'jaxpr', value)
            if hasattr(inner, 'eqns'):
                yield from averaged(inner)


@pytest.mark.slow
@pytest.mark.parametrize(
    'method, parts',
    [(n, 1) for n in METHODS if n != 'vae_gan']  # its networks average too
    + [('fast_style', 4), ('vae', 4)],
)
def test_gradients_and_metrics_are_averaged_over_devices_once(method, parts, program):
    """Whatever the number of parts: a sum for each array of parameters, and for each
    metric that is no norm of them."""
    made, batch = program(method, {'parallel.accumulate': parts})
    state = jax.eval_shape(made.method.init, jax.random.key(0))
    traced, (_, metrics) = jax.make_jaxpr(made.train_step, return_shape=True)(
        state, batch
    )
    means = {
        k: v.value if isinstance(v, Occasional) else v
        for k, v in metrics.items()
        if not k.startswith('gradient')
    }
    expected = jax.tree.leaves((state.params, means))
    assert collections.Counter(averaged(traced.jaxpr)) == collections.Counter(
        x.shape for x in expected
    )


# What the objective states: weights, intervals, bounds and lengths of schedules.
STATED = re.compile(
    '(weights?|lambda|gamma|interval|beta|beta_begin|capacity|free_bits|margin'
    '|equilibrium|steps?)$'
)
ACGAN = {'model.generator': 'resnet_class', 'model.discriminator': 'acgan'}
FASTGAN = dict.fromkeys(('model.generator', 'model.discriminator'), 'fastgan')
R3GAN = dict.fromkeys(('model.generator', 'model.discriminator'), 'r3gan')
SCHEDULED = {
    'optimizer.schedule': 'cosine',
    'method.penalty': 'r1_r2',
    'method.ada': 'flip',
    'method.ada_p_end': 0.5,
}
INFOGAN = dict.fromkeys(('model.generator', 'model.discriminator'), 'infogan')
STROKES = SequenceSpec('strokes', 3, mean=(0.0,) * 3, scale=(1.0,) * 3)
WRITTEN = SequenceSpec('text', 1, text=Text('characters', ('a', 'b'), 8, ()))
STYLEGAN2 = {
    **dict.fromkeys(('model.generator', 'model.discriminator'), 'stylegan2'),
    'method.path_length_weight': 2.5,
    'method.ada': 'flip',
}
CASES = [  # method, {key: value}: together they take every key of every method
    ('gan', {'method.penalty': 'wgan_gp', 'method.consistency': 'cr'}),
    ('gan', {'method.penalty': 'dragan', 'method.consistency': 'bcr'}),
    ('gan', {'method.penalty': 'r1', 'method.consistency': 'zcr'} | STYLEGAN2),
    ('gan', {'method.penalty': 'r1_r2'} | ACGAN),
    ('gan', {'method.penalty': 'r2', 'model.code_categories': 2} | INFOGAN),
    ('gan', FASTGAN),
    ('gan', SCHEDULED | R3GAN),
    ('vae', {}),
    ('vae', {'method.capacity': 0.0}),
    ('vae', {'method.capacity': 0.0, 'method.free_bits': 0.0}),
    ('vae', {'method.bound': 'iwae'}),
    *(
        ('vae', {'method.disentangle': name})
        for name in ('beta_tc', 'factor', 'dip_i', 'dip_ii')
    ),
    ('stacked_vae', {'method.bound': 'iwae'}),
    ('hierarchical_vae', {}),
    ('hierarchical_vae', {'method.capacity': 0.0}),
    ('vae_gan', {}),
    ('recurrent', {}),
    ('sketch_vae', {}),
    ('sketch_vae', {'method.capacity': 0.0}),
    ('vrnn', {}),
    ('fast_style', {}),
    ('distill', {}),
    ('restore', {}),
    ('restore_gan', {}),
    ('cut', {'method.ramp_steps': 7}),
    ('cyclegan', {}),
    ('pix2pix', {}),
    ('pix2pix', {'method.ramp_steps': 7}),
    ('text_transformer', {}),
    ('vq_vae', {}),
    ('vq_vae', {'method.quantiser': 'vq'}),
    ('vqgan', {}),
    ('vqgan', {'method.quantiser': 'ema_vq'}),
    ('transformer', {}),
    ('transformer', {'method.quantiser': 'l2_vq'}),
    ('masked_transformer', {}),
    ('masked_transformer', {'method.quantiser': 'vq'}),
]


@pytest.fixture(scope='module')
def described(small):
    """described(case): what it states and reads, once for each."""
    return functools.cache(lambda case: describe(*CASES[case], small))


def describe(method, overrides, small):
    """A method each of whose weights and intervals differs from the others: (its
    objective, {key that its make has read: value})."""
    config = default.get_config(method)
    default.update(config, small(method) | PLAIN.get(method, {}))
    values = {
        f'method.{key}': type(field.default)(101 + i)
        for i, (key, field) in enumerate(sections.keys('method', method).items())
        if STATED.search(key) and not key.startswith(('ema_', 'sample_'))
    }
    if 'method.beta_begin' in values:
        values['method.beta_begin'] = 0.375
    if 'method.capacity' in values and 'method.capacity' not in overrides:
        values['method.free_bits'] = 0.0  # one of the two
    if 'method.feature_weight' in values:
        config.data.image_size = 16
    if method == 'gan':  # of networks with styles alone
        values['method.path_length_weight'] = 0.0
        config.train.init_from = 'a run'
    default.update(config, values | overrides)
    config_lib.validate(config)
    reads = config_lib.Reads(config)
    size = config.data.image_size
    spec = Spec(size, size, 3, ('round', 'square'), size=100)
    if method in SEQUENCES:
        spec = WRITTEN if method == 'text_transformer' else STROKES
    made = methods.make(reads, spec)
    flat = config_lib.flatten(config)
    return made.objective, {key: flat[key] for key in reads.keys_read}


@pytest.mark.parametrize('case', range(len(CASES)), ids=lambda i: CASES[i][0])
def test_the_objective_states_every_weight_and_interval(case, described):
    objective, read = described(case)
    stated = {
        key: value
        for key, value in read.items()
        if key.startswith('method.')
        and STATED.search(key)
        and not key.startswith(('method.ema_', 'method.sample_'))
        and value
    }
    for key, value in stated.items():
        if key == 'method.style_weight':  # published in other units
            value = style.BALANCE * value
        number = rf'(?<![\d.]){re.escape(f"{value:g}")}(?!\.?\d)'
        assert re.search(number, objective), f'{key}={value} in: {objective}'


@pytest.mark.parametrize('method', METHODS)
def test_every_key_of_a_method_is_read(method, described):
    """By one of the cases above, of the sections `method` and `model`."""
    cases = [i for i, (name, _) in enumerate(CASES) if name == method]
    read = set().union(*(described(i)[1] for i in cases))
    own = {
        f'{section}.{key}'
        for section in ('method', 'model')
        for key in sections.keys(section, method)
    }
    assert own - read <= {
        'method.ema_rampup',  # with a half-life
        'method.style_size',  # with the style, when training begins
    }
