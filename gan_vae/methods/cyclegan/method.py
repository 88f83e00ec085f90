"""Picture to picture without pairs: what is made of a picture leads back to it.

  min_{G, F}  E (D_Y(G(x)) - 1)^2 + E (D_X(F(y)) - 1)^2
              + c (|F(G(x)) - x| + |G(F(y)) - y|) + i (|G(y) - y| + |F(x) - x|)
  min_{D_X, D_Y}  1/2 [E (D_X(x) - 1)^2 + E D_X(F(y))^2 + the same of D_Y]

of pictures x and y of two kinds, absolute errors as means over values. D sees made
pictures of a pool of the last ones half of the time (Shrivastava et al. 2017,
arXiv:1612.07828). Zhu et al. 2017, arXiv:1703.10593. An example is one image of the
channels of x, then of y, which have nothing to do with each other.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from gan_vae.devices.memory import recomputed
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState, step_key
from gan_vae.methods import contract, pairs
from gan_vae.methods.contract import Method
from gan_vae.methods.cyclegan import Networks, Settings
from gan_vae.methods.gan import duel
from gan_vae.objectives import augment
from gan_vae.objectives.adversarial import LOSSES

G, D = 'translators', 'discriminators'
THERE, BACK = 'there', 'back'  # G: x -> y, F: y -> x
KINDS = 'first', 'second'


def queried(pool, count, images, keys):
    """(what D sees, the pool, its count) of made images [B, H, W, C], each by its key.

    Until the pool [K, H, W, C] is full an image is kept and seen. Then a fair coin says
    whether it is seen, or one of the pool, whose place it takes.
    """

    def one(carry, row):
        pool, count = carry
        image, key = row
        coin, where = jax.random.split(key)
        filling = count < len(pool)
        place = jax.random.randint(where, (), 0, len(pool))
        place = jnp.where(filling, count, place)
        swaps = ~filling & jax.random.bernoulli(coin)
        seen = jnp.where(swaps, pool[place], image)
        kept = jnp.where(filling | swaps, image, pool[place])
        return (pool.at[place].set(kept), jnp.minimum(count + 1, len(pool))), seen

    (pool, count), seen = lax.scan(one, (pool, count), (images, keys))
    return seen, pool, count


@dataclass(frozen=True, kw_only=True)
class CycleGAN:
    """What the one update takes."""

    translate: Callable  # (params, images) -> images
    judge: Callable  # (params, variables, images) -> (logits, new variables)
    augment: Callable
    parts: Callable  # pairs -> (x, y)
    cycle: float
    identity: float
    descent: descents.Descent


def _absolute(a, b):
    return jnp.mean(jnp.abs(a - b))


def translators_loss(own: CycleGAN, state: TrainState, params, variables, rows):
    """(the loss of G and F, (variables, metrics)), means over rows."""
    (x, y), keys = own.parts(rows[0]), rows[1]
    there, back = (partial(own.translate, params[name]) for name in (THERE, BACK))
    made = {'second': there(x), 'first': back(y)}
    losses = {}
    for kind, images in made.items():
        d = state.params[D][kind], state.variables[D][kind]
        logits, _ = own.judge(*d, own.augment(keys, images))
        losses[f'loss_g_{kind}'] = 2 * LOSSES['least_squares'].generator(logits)
    cycles = _absolute(back(made['second']), x) + _absolute(there(made['first']), y)
    total = sum(losses.values()) + own.cycle * cycles
    metrics = losses | {'cycle': cycles}
    if own.identity:
        metrics['identity'] = _absolute(there(y), y) + _absolute(back(x), x)
        total += own.identity * metrics['identity']
    return total, (variables, metrics | {'loss': total})


def discriminators_loss(own: CycleGAN, params, variables, rows):
    """(the loss of both D, (their new variables, metrics)), means over rows."""
    pair, seen, keys = rows
    real = dict(zip(KINDS, own.parts(pair), strict=True))
    total, after, metrics = 0.0, {}, {}
    for kind in KINDS:
        both = jnp.concatenate([real[kind], seen[kind]])
        both = own.augment(jnp.tile(keys, 2), both)
        logits, after[kind] = own.judge(params[kind], variables[kind], both)
        loss = LOSSES['least_squares'].discriminator(*jnp.split(logits, 2))
        total, metrics[f'loss_d_{kind}'] = total + loss, loss
    return total, (after, metrics)


def train_step(own: CycleGAN, state: TrainState, batch):
    """(state, metrics) after an update of both translators, and one of both D."""
    descent, pair = own.descent, batch['image']
    index = example_indices(len(pair), descent.axis_name)
    keys = {n: keys_of(step_key(state, n), index) for n in ('g', 'd')}
    x, y = own.parts(pair)
    params = state.params[G]
    made = {'second': own.translate(params[THERE], x)}
    made['first'] = own.translate(params[BACK], y)
    seen, pools = {}, dict(state.extra['pools'])
    for kind in KINDS:
        every = lax.stop_gradient(made[kind])
        if descent.axis_name is not None:
            every = lax.all_gather(every, descent.axis_name, tiled=True)
        rows = keys_of(step_key(state, f'pool {kind}'), jnp.arange(len(every)))
        pool, count = pools[kind]
        every, pool, count = queried(pool, count, every, rows)
        seen[kind], pools[kind] = every[index], (pool, count)
    gradient = jax.grad(partial(translators_loss, own, state), has_aux=True)
    grads, _, metrics = descent.gradients(gradient, params, {}, (pair, keys['g']))
    gradient_d = jax.grad(partial(discriminators_loss, own), has_aux=True)
    variables = state.variables[D]
    rows = pair, seen, keys['d']
    grads_d, after, more = descent.gradients(
        gradient_d, state.params[D], variables, rows
    )
    state, update = descent.update(state, G, grads)
    state, update_d = descent.update(state, D, grads_d, '_d')
    state = replace(state, variables={D: after}, extra={'pools': pools})
    metrics = metrics | more | update | update_d
    return descent.advance(state, {G: state.params[G]}), metrics


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for two kinds of pictures of shape `spec`."""
    colours = pairs.colours_of(spec)
    shape = (*spec.shape[:2], colours)
    network = pairs.translator(model, learning, spec, axis_name, blocks=model.blocks)
    init_d, judge = duel.discriminator(model, learning, shape, axis_name)
    of_d = optimizers.of_discriminator(learning.optimizer)
    learners = {G: optimizers.make(learning), D: optimizers.make(learning, *of_d)}
    translate = recomputed(learning.remat)(
        lambda params, x: network.apply({'params': params}, x)
    )
    own = CycleGAN(
        translate=translate,
        judge=judge,
        augment=augment.make(settings.augment),
        parts=lambda pair: pairs.parts(pair, colours, 'cyclegan', 'unpaired:SET,SET'),
        cycle=settings.cycle_weight,
        identity=settings.identity_weight,
        descent=descents.make(learners, settings, learning, axis_name),
    )

    size = settings.pool_size

    def init(key) -> TrainState:
        x = jnp.zeros((2, *shape))
        g = {n: network.init(purpose_key(key, n), x)['params'] for n in (THERE, BACK)}
        both = {kind: init_d(purpose_key(key, f'D {kind}')) for kind in KINDS}
        d = {kind: v.pop('params') for kind, v in both.items()}
        empty = jnp.zeros((size, *shape)), jnp.zeros((), jnp.int32)
        return own.descent.init(
            purpose_key(key, 'run'),
            {G: g, D: d},
            {G: g},
            {D: both},
            {'pools': dict.fromkeys(KINDS, empty)},
        )

    def translation(weights, x):
        return translate(weights.averaged[G][THERE], x)

    def evaluate_step(state, batch):
        """Of held-out pictures: how far they are changed, and come back; beside it with
        noise of 2 grey levels on what was made, which what is hidden in it survives not
        (Chu et al. 2017, arXiv:1712.02950)."""
        x, _ = own.parts(batch['image'])
        made, g = translation(state.weights(), x), state.ema[G]
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        noise = jax.vmap(lambda k: jax.random.normal(k, x.shape[1:]))(keys)
        values = {'changed': jnp.mean(jnp.abs(x - made), (1, 2, 3))}
        for name, images in (('', made), ('_of_noisy', made + noise * 2 / 127.5)):
            back = translate(g[BACK], images)
            values[f'cycle{name}'] = jnp.mean(jnp.abs(x - back), (1, 2, 3))
        return contract.sums(values, batch['mask'])

    def show(weights, pair):
        x, y = own.parts(pair)
        made = translation(weights, x)
        again = translate(weights.averaged[G][BACK], made)
        return jnp.concatenate([x, made, again], 2)

    identity = f' + {own.identity:g} identity' if own.identity else ''
    return Method(
        objective=f'cyclegan: G, F least_squares + {own.cycle:g} cycle{identity}, '
        'means over values in [-1, 1]; D_X, D_Y least_squares',
        init=init,
        train_step=partial(train_step, own),
        evaluate_step=evaluate_step,
        translation=translation,
        show=show,
        diagnose=None,
    )
