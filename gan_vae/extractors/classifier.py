"""A small classifier of the set's own classes, trained here on its train split.

    relu(Conv 4x4 / 2) of 32, 64 and 128 channels; dropout; relu(Dense 128); Dense

by AdamW on the cross-entropy, with shifts of up to 3 pixels and no other augmentation:
noise or blur would teach it not to see them. Features of a domain find the modes that a
generator lacks: Shmelkov et al. 2018, arXiv:1807.09499 (GAN-test); Naeem et al. 2020,
arXiv:2002.09797 (features for data far from ImageNet).
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax import traverse_util

from gan_vae.data.source import Examples, Source
from gan_vae.errors import UserError
from gan_vae.extractors import Extractor
from gan_vae.extractors.features import digest, stored
from gan_vae.extractors.resize import resize
from gan_vae.learning import state
from gan_vae.models.layers import Conv

EXTRACTOR = {'examples': True}
SIZE = 32
# All that the weights depend on besides the data: a change here is another classifier.
RECIPE = {
    'version': 1,
    'widths': (32, 64, 128),
    'features': 128,
    'shift': 3,
    'dropout': 0.5,
    'steps': 600,
    'batch_size': 64,
    'learning_rate': 1e-3,
    'weight_decay': 1e-4,
    'held_out': 0.1,
    'seed': 0,
}


def load(examples: Examples) -> Extractor:
    """Features [n, 128] (the layer before the last) and logits [n, classes].

    `examples` is the labelled train split, a tenth of which is held out to measure the
    accuracy in the Extractor's note. Trains on first use (a minute on two cores), then
    reads $GAN_VAE_CACHE. Images are resized to 32. A UserError for sets without
    labels, or too few examples.
    """
    labels = examples.labels
    classes, count = 0 if labels is None else len(np.unique(labels)), examples.size
    if classes < 2 or count < 10 * classes:
        raise UserError(
            'the extractor classifier needs labels of two classes or more, and 10 '
            f'examples of each: the set has {classes} classes and {count} examples; '
            'use the extractor random, or other data'
        )

    def trained():
        params, note = train(examples)
        return {'note': note} | state.named_leaves(params)

    key = [[digest(examples.images), digest(labels)], RECIPE]
    leaves = dict(stored('classifiers', key, trained))
    note = str(leaves.pop('note'))
    sha256 = state.sha256(leaves)
    params = traverse_util.unflatten_dict(leaves, sep='/')
    return Extractor('classifier', sha256, SIZE, 'torch', params, apply, note)


class _Network(nn.Module):
    logits: int
    widths: tuple[int, ...]
    features: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x, training: bool = False):
        for width in self.widths:
            x = nn.relu(Conv(width, (4, 4), (2, 2))(x))
        x = x.reshape(len(x), -1)
        x = nn.Dropout(self.dropout, deterministic=not training)(x)
        features = nn.relu(nn.Dense(self.features)(x))
        logits = nn.Dense(self.logits, name='logits')(features)
        return {'features': features, 'logits': logits}


def apply(params: dict, images) -> dict[str, jax.Array]:
    """uint8 (or float 0..255) [n, H, W, C of the set] -> features and logits."""
    layers = [params[f'Conv_{n}'] for n in range(len(params) - 2)]
    sizes = [len(layer['bias']) for layer in (*layers, params['Dense_0'])]
    network = _Network(len(params['logits']['bias']), tuple(sizes[:-1]), sizes[-1])
    return network.apply({'params': params}, _inputs(images))


def _inputs(images):
    return resize(jnp.asarray(images, jnp.float32), SIZE, 'torch') / 127.5 - 1


def train(examples: Examples) -> tuple[dict, str]:
    """(params, note with the accuracy on the examples held out)."""
    order = np.random.Generator(np.random.Philox(RECIPE['seed'])).permutation(
        len(examples.images)
    )
    held_out, rest = np.split(order, [int(len(order) * RECIPE['held_out'])])
    classes = int(examples.labels.max()) + 1
    params = fit(examples.take(rest), max(classes, len(examples.class_names)))
    unseen = examples.take(held_out)
    accuracy = np.mean(predict(params, unseen.images) == unseen.labels)
    note = f'accuracy {accuracy:.3f} on {len(held_out)} examples held out of train'
    return params, note


def fit(examples: Examples, classes: int) -> dict:
    """The parameters of a classifier of `classes` trained on all of `examples`."""
    labels = np.asarray(examples.labels)[:, None]
    return fit_several(examples.images, (classes,), labels, RECIPE)


def fit_several(
    images: np.ndarray, sizes: tuple[int, ...], labels: np.ndarray, recipe: dict
) -> dict:
    """The parameters of one network for several labels of each picture, int [n, k].

    Its logits are those of the first label, of `sizes[0]` values, then of the second;
    the loss is the sum of their cross-entropies.
    """
    widths, steps = tuple(recipe['widths']), recipe['steps']
    network = _Network(sum(sizes), widths, recipe['features'], recipe['dropout'])
    key = jax.random.key(recipe['seed'])
    optimizer = optax.adamw(
        optax.cosine_decay_schedule(recipe['learning_rate'], steps),
        weight_decay=recipe['weight_decay'],
    )

    @jax.jit
    def step(params, opt_state, number, images, labels):
        shift_key, drop_key = jax.random.split(jax.random.fold_in(key, number))
        x = _shifted(shift_key, _inputs(images), recipe['shift'])

        def loss(params):
            out = network.apply({'params': params}, x, True, rngs={'dropout': drop_key})
            return sum(
                optax.softmax_cross_entropy_with_integer_labels(
                    logits, labels[:, number]
                ).mean()
                for number, logits in enumerate(_parts(out['logits'], sizes))
            )

        updates, opt_state = optimizer.update(jax.grad(loss)(params), opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    source = Source(Examples(images), recipe['batch_size'], recipe['seed'])
    blank = jnp.zeros((1, SIZE, SIZE, source.spec.channels))
    params = network.init(key, blank)['params']
    opt_state = optimizer.init(params)
    for number in range(steps):
        batch = source.batch(number)
        params, opt_state = step(
            params, opt_state, number, batch['image'], labels[batch['index']]
        )
        if number % 2:  # at most two steps in flight
            jax.block_until_ready(params)
    return jax.device_get(params)


def _parts(logits, sizes: tuple[int, ...]) -> list:
    """The logits [n, size] of each label."""
    return jnp.split(logits, np.cumsum(sizes)[:-1], axis=-1)


def _shifted(key, images, most: int):
    """Each image moved by at most so many pixels, its edges repeated."""
    around = ((0, 0), (most, most), (most, most), (0, 0))
    padded = jnp.pad(images, around, mode='edge')
    corners = jax.random.randint(key, (len(images), 2), 0, 2 * most + 1)
    return jax.vmap(
        lambda image, at: jax.lax.dynamic_slice(image, (*at, 0), images.shape[1:])
    )(padded, corners)


def predict(params: dict, images) -> np.ndarray:
    """The likeliest class of each of uint8 images [n, H, W, C]; int [n]."""
    return predict_several(params, (len(params['logits']['bias']),), images)[:, 0]


def predict_several(params: dict, sizes: tuple[int, ...], images) -> np.ndarray:
    """The likeliest value of each label of uint8 images [n, H, W, C]; int [n, k]."""
    parts = log_probs_several(params, sizes, images)
    return np.stack([np.argmax(part, -1) for part in parts], -1)


def log_probs_several(params: dict, sizes: tuple[int, ...], images) -> list[np.ndarray]:
    """log p [n, size] of the values of each label of uint8 images [n, H, W, C]."""

    @jax.jit
    def of(params, x):
        logits = _parts(apply(params, x)['logits'], sizes)
        return [jax.nn.log_softmax(part) for part in logits]

    batches = [
        of(params, images[start : start + 500]) for start in range(0, len(images), 500)
    ]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]
