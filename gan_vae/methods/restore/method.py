"""A network that restores damaged pictures of any kind, trained on whole ones.

  min_R  E |x - R(y, f, m, t)|

(y, m, t) is random damage of x (objectives/damage.py) and f an estimate of x by filters
(objectives/estimates.py), which R refines. y is what is seen, m where, and t what is
told of the damage: numbers for half of the examples, nothing for the others, so that it
restores with and without being told. The absolute error makes the most likely pixels,
not the sharpest: where nothing is known it is smooth. A held-out example has damage of
its own key, each kind in turn, the same at every evaluation; beside `psnr_KIND` are
`psnr_KIND_seen`, that of the damaged picture, and `psnr_KIND_filter`, that of f.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from gan_vae import models
from gan_vae.config.fields import names_of
from gan_vae.devices.memory import recomputed
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning.settings import Learning
from gan_vae.methods import contract, minimisation
from gan_vae.methods.contract import Method
from gan_vae.methods.restore import Networks, Settings
from gan_vae.objectives import damage, estimates

NAME = 'restorer'


def network_of(model: Networks, learning: Learning, spec) -> tuple:
    """(the network, (params, seen, estimate, mask, told) -> pictures)."""
    network = models.make(
        'restorer',
        model.restorer,
        width=model.width,
        channels=spec.channels,
        dtype=jnp.dtype(learning.dtype),
    )

    @recomputed(learning.remat)
    def apply(params, seen, estimate, mask, told):
        return network.apply({'params': params}, seen, estimate, mask, told)

    return network, apply


def initial(network, key, spec) -> dict:
    """{NAME: params}, of the key of a run."""
    x, told = jnp.zeros((1, *spec.shape)), jnp.zeros((1, len(damage.TOLD)))
    key = purpose_key(key, NAME)
    return {NAME: network.init(key, x, x, x[..., :1], told)['params']}


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for images of shape `spec`."""
    network, apply = network_of(model, learning, spec)
    among = damage.numbers_of(names_of(settings.damage))

    def loss(state, params, rows):
        d = damage.damaged(rows.keys, rows.examples, among=among)
        again = apply(params[NAME], d.seen, estimates.of(*d[:3]), d.mask, d.told)
        error = jnp.mean(jnp.abs(rows.examples - again))
        return error, {'absolute_error': error}

    def evaluate_step(state, batch):
        x = batch['image']
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        kinds = jnp.asarray(among)[batch['index'] % len(among)]
        d = damage.damaged(keys, x, kinds)
        f = estimates.of(*d[:3])
        again = restoration(state.weights(), d.seen, f, d.mask, d.told)
        values = {'absolute_error': jnp.mean(jnp.abs(x - again), (1, 2, 3))}
        for number, kind in enumerate(damage.KINDS):
            here = 1.0 * (kinds == number)
            values[f'psnr_{kind}'] = here * contract.psnr(x, again)
            values[f'psnr_{kind}_seen'] = here * contract.psnr(x, d.seen)
            values[f'psnr_{kind}_filter'] = here * contract.psnr(x, jnp.clip(f, -1, 1))
            values[f'count_{kind}'] = here
        return contract.sums(values, batch['mask'])

    def restoration(weights, seen, estimate, mask, told):
        params = weights.averaged[NAME]
        return jnp.clip(apply(params, seen, estimate, mask, told), -1, 1)

    def translation(weights, x):
        """Pictures restored that have no hole, of whose damage nothing is told."""
        told = jnp.zeros((len(x), len(damage.TOLD)))
        f = estimates.of(x, None, told)
        return restoration(weights, x, f, jnp.ones_like(x[..., :1]), told)

    def show(weights, x):
        """Damage of each kind in turn, restored, and what was there."""
        count = jnp.arange(len(x))
        keys = keys_of(jax.random.key(0), count)
        d = damage.damaged(keys, x, jnp.asarray(among)[count % len(among)])
        again = restoration(weights, d.seen, estimates.of(*d[:3]), d.mask, d.told)
        return jnp.concatenate([d.seen, again, x], 2)

    method = minimisation.method(
        settings,
        learning,
        axis_name,
        objective='restore: |x - R(y, f, m, t)|, mean over values in [-1, 1]',
        params=lambda key: initial(network, key, spec),
        loss=loss,
        values=lambda state, rows: {},
        show=show,
        translation=translation,
        translates='any size',
        restoration=restoration,
        finish=finish,
    )
    return replace(method, evaluate_step=evaluate_step)


def finish(sums) -> dict[str, float]:
    """Means over all examples, and over those of each kind."""
    found = {'absolute_error': float(sums['absolute_error'] / sums['count'])}
    for kind in damage.KINDS:
        if (count := sums[f'count_{kind}']) > 0:
            for of in ('', '_seen', '_filter'):
                name = f'psnr_{kind}{of}'
                found[name] = float(sums[name] / count)
    return found
