"""Picture to picture without pairs: what is at a place stays recognisable there.

The duel (methods/gan/duel.py) of G(x) with D of pictures y of the other kind, least
squares; L is the noise-contrastive loss (objectives/contrastive.py) of the patches of
G(x) among those of x, and as much again of G(y) among those of y. Patches are of maps
of G itself, each through a small network of its own (H). Park et al. 2020,
arXiv:2007.15651 (CUT). An example is one image of the channels of x, then of y, which
have nothing to do with each other (`unpaired:SET,SET`).
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gan_vae.devices.memory import recomputed
from gan_vae.errors import UserError
from gan_vae.keys import purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import TrainState
from gan_vae.methods import contract, pairs
from gan_vae.methods.contract import Method
from gan_vae.methods.cut import Networks, Settings
from gan_vae.methods.gan import duel, game
from gan_vae.objectives import augment
from gan_vae.objectives.adversarial import LOSSES
from gan_vae.objectives.contrastive import patch_nce, picked

NAME = 'translator'


class Head(nn.Module):
    """[B, n, C] -> [B, n, width]: dense, ReLU, dense."""

    width: int

    @nn.compact
    def __call__(self, x):
        init = nn.initializers.normal(0.02)
        x = nn.relu(nn.Dense(self.width, kernel_init=init)(x.astype(jnp.float32)))
        return nn.Dense(self.width, kernel_init=init)(x)


def make(
    settings: Settings, model: Networks, learning: Learning, spec, axis_name=None
) -> Method:
    """The Method of those settings, for two kinds of pictures of shape `spec`."""
    colours = pairs.colours_of(spec)
    shape = (*spec.shape[:2], colours)
    network = pairs.translator(model, learning, spec, axis_name, blocks=model.blocks)
    if not hasattr(network, 'features'):
        raise UserError(
            f'config.model.translator={model.translator} has no `features` to compare '
            'patches of: take resnet'
        )
    head = Head(model.head_width)

    def parts(pair):
        return pairs.parts(pair, colours, 'cut', 'unpaired:SET,SET')

    init_d, judge = duel.discriminator(model, learning, shape, axis_name)
    weight = settings.nce_weight

    @recomputed(learning.remat)
    def translate(params, x) -> Any:
        return network.apply({'params': params['network']}, x)

    def features(params, x) -> Any:
        return network.apply({'params': params}, x, method='features')

    def embedded(params, keys, x) -> Any:
        """Of each map [B, n, width]: patches of images at places by keys."""
        maps = features(params['network'], x)
        return [
            head.apply({'params': p}, picked(keys, m, settings.patches))
            for p, m in zip(params['heads'].values(), maps, strict=True)
        ]

    def nce(params, keys, x, made):
        """The loss of patches of `made` among those of x, mean over maps."""
        both = embedded(params, keys, made), embedded(params, keys, x)
        losses = [jnp.mean(patch_nce(q, k)) for q, k in zip(*both, strict=True)]
        return sum(losses) / len(losses)

    def create(params, variables, pair, keys):
        x, y = parts(pair)
        made = translate(params, x)
        total = metric = nce(params, keys, x, made)
        metrics = {'nce': metric}
        if settings.identity:
            metrics['nce_identity'] = nce(params, keys, y, translate(params, y))
            total = (metric + metrics['nce_identity']) / 2
        return (made, weight * total), (metrics, variables)

    own = duel.Duel(
        name=NAME,
        create=create,
        shown=lambda pair, made: (parts(pair)[1], made),
        judge=judge,
        augment=augment.make(settings.augment),
        loss=LOSSES['least_squares'],
        weight=settings.adversarial_weight,
        ramp_steps=settings.ramp_steps,
        descent=descents.make(
            duel.learners(NAME, learning), settings, learning, axis_name
        ),
    )

    def init(key) -> TrainState:
        x = jnp.zeros((2, *shape))
        of_g = network.init(purpose_key(key, NAME), x)['params']
        maps = features(of_g, x)
        keys = jax.random.split(purpose_key(key, 'heads'), len(maps))
        heads = {
            f'map_{n}': head.init(k, m.reshape(2, -1, m.shape[-1]))['params']
            for n, (k, m) in enumerate(zip(keys, maps, strict=True))
        }
        of_d = init_d(purpose_key(key, duel.D))
        params = {NAME: {'network': of_g, 'heads': heads}, duel.D: of_d.pop('params')}
        return duel.init(own, key, params, {duel.D: of_d})

    def translation(weights, x) -> Any:
        return translate(weights.averaged[NAME], x)

    def evaluate_step(state, batch):
        """Of held-out pictures: the loss of their patches, and of G of the others how
        far it is from them, which is 0 where it leaves them alone."""
        x, y = parts(batch['image'])
        params = state.ema[NAME]
        keys = jax.vmap(jax.random.key)(batch['index'])
        made: Any = translate(params, x)
        both = embedded(params, keys, made), embedded(params, keys, x)
        each = sum(patch_nce(q, k) for q, k in zip(*both, strict=True)) / len(both[0])
        changed = jnp.mean(jnp.abs(x - made), (1, 2, 3))
        same: Any = translate(params, y)
        left = jnp.mean(jnp.abs(y - same), (1, 2, 3))
        values = {'nce': each, 'changed': changed, 'identity_error': left}
        return contract.sums(values, batch['mask'])

    def show(weights, pair):
        x, y = parts(pair)
        return jnp.concatenate([x, translation(weights, x)], 2)

    ramp = f', from 0 in {own.ramp_steps} steps' if own.ramp_steps else ''
    of = 'G(x) and G(y)' if settings.identity else 'G(x)'
    return Method(
        objective=f'cut: G {weight:g} NCE of {settings.patches} patches of {of}, nats, '
        f'+ {own.weight:g} least_squares L_G{ramp}; D least_squares L_D of y',
        init=init,
        train_step=partial(duel.train_step, own),
        evaluate_step=evaluate_step,
        translation=translation,
        show=show,
        diagnose=game.diagnose,
    )
