"""Music and drawings from a run: new ones, ones that go on, and ones in between.

slerp(z_0, z_1; t) of posterior means, for a run that has a latent for the whole.
"""

from collections.abc import Callable

import jax
import numpy as np

from gan_vae import data
from gan_vae.art.tools import Model
from gan_vae.data.sequences import BUCKET, Padded
from gan_vae.errors import UserError
from gan_vae.evaluation.path_length import slerp

BATCH = 16


def draw(
    method, weights, seed: int, num: int, temperature: float | None = None
) -> list:
    """`num` sequences [T, D]; number i is the same for any `num`."""
    return _batches(
        num, seed, lambda key: method.generate(weights, key, BATCH, None, temperature)
    )


def complete(
    method, weights, prompt: np.ndarray, seed: int, num: int, temperature: float = 1.0
) -> list:
    """`num` sequences that go on from `prompt` [T, D], whose steps stay as they are."""
    batch = Padded(
        np.repeat(_padded(prompt)[None], BATCH, 0),
        np.full(BATCH, len(prompt), np.int32),
    )
    return _batches(
        num,
        seed,
        lambda key: method.continuation(weights, key, batch, BATCH, temperature),
    )


def between(method, weights, first: np.ndarray, last: np.ndarray, num: int) -> list:
    """`num` sequences, the ends of which are decoded from the two that are given."""
    longest = max(len(first), len(last))
    both = Padded(
        np.stack([_padded(v, longest) for v in (first, last)]),
        np.array([len(first), len(last)], np.int32),
    )
    ends = np.asarray(method.latents.encode(weights, both))
    z = slerp(*ends[:, None].repeat(num, 1), np.linspace(0, 1, num))
    return jax.jit(method.latents.decode)(weights, z.astype(np.float32)).each()


def given(
    word: str, model: Model, grid: int = 1, report: Callable = print
) -> np.ndarray:
    """The sequence [T, D] of a word: the file of a melody or of a drawing, which is
    fitted to the scale of the model, or the number of a sequence of the held-out split.

    grid: steps in a quarter note of a MIDI file. Raises UserError for anything else.
    """
    settings = model.config.data
    if word.isdecimal():
        held_out = data.examples(settings, settings.eval_split)
        if int(word) >= held_out.count:
            raise UserError(
                f'{word}: the {settings.eval_split} split has {held_out.count} '
                'sequences, counted from 0'
            )
        return held_out.values[int(word)]
    if model.kind == 'rolls':
        from gan_vae.media import midi

        return midi.from_midi(word, grid, report)
    from gan_vae.data.readers import drawings

    strokes, scale = drawings.read(word), model.weights.averaged['constants']['scale']
    size = np.sqrt(np.square(strokes[:, :2]).mean())
    ways = np.round(strokes[:, :2] * scale[:2] / max(size, 1e-6))
    return np.concatenate([ways, strokes[:, 2:]], -1)


def beginning(value: np.ndarray, steps: int | None) -> np.ndarray:
    """The first `steps` of a sequence; None: its first half."""
    steps = (len(value) + 1) // 2 if steps is None else steps
    if not 1 <= steps <= len(value):
        raise UserError(f'--steps={steps}: take from 1 to {len(value)}, as are given')
    return value[:steps]


def _batches(num: int, seed: int, make) -> list:
    make, values = jax.jit(make), []
    for start in range(0, num, BATCH):
        rng = jax.random.fold_in(jax.random.key(seed), start)
        values += make(rng).each()
    return values[:num]


def _padded(value: np.ndarray, longest: int = 0) -> np.ndarray:
    """float32 [T, D], T the next multiple of BUCKET."""
    longest = max(longest, len(value))
    more = longest + -longest % BUCKET - len(value)
    return np.pad(np.asarray(value, np.float32), ((0, more), (0, 0)))
