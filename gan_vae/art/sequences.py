"""Music and drawings from a run: new ones, ones that go on, and ones in between.

slerp(z_0, z_1; t) of posterior means, for a run that has a latent for the whole.
"""

from collections.abc import Callable

import jax
import numpy as np

from gan_vae import data, files
from gan_vae.art.tools import Model
from gan_vae.data import writing
from gan_vae.data.sequences import BUCKET, Padded
from gan_vae.errors import UserError
from gan_vae.evaluation.path_length import slerp

BATCH = 16


def draw(
    method, weights, seed: int, num: int, temperature: float | None = None
) -> list:
    """`num` sequences [T, D]; number i is the same for any `num`."""

    def batch(key):
        return method.generate(weights, key, BATCH, None, temperature)

    return _batches(num, seed, batch)


def complete(
    method, weights, prompt: np.ndarray, seed: int, num: int, temperature: float = 1.0
) -> list:
    """`num` sequences that go on from `prompt` [T, D], whose steps stay as they are."""
    prompts = _padded([prompt] * BATCH)

    def batch(key):
        return method.continuation(weights, key, prompts, BATCH, temperature)

    return _batches(num, seed, batch)


def between(method, weights, first: np.ndarray, last: np.ndarray, num: int) -> list:
    """`num` sequences, the ends of which are decoded from the two that are given."""
    ends = np.asarray(jax.jit(method.latents.encode)(weights, _padded([first, last])))
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
        if int(word) >= held_out.size:
            raise UserError(
                f'{word}: the {settings.eval_split} split has {held_out.size} '
                'sequences, counted from 0'
            )
        return held_out.values[int(word)]
    if model.kind == 'text':
        return writing.points(_text(word, model))
    if model.kind == 'rolls':
        from gan_vae.media import midi

        return midi.from_midi(word, grid, report)
    from gan_vae.data.readers import drawings

    strokes, scale = drawings.read(word), model.weights.averaged['constants']['scale']
    size = np.sqrt(np.square(strokes[:, :2]).mean())
    ways = np.round(strokes[:, :2] * scale[:2] / max(size, 1e-6))
    return np.concatenate([ways, strokes[:, 2:]], -1)


def _text(word: str, model: Model) -> str:
    """The words themselves, or the end of a text file: half of what a model takes."""
    from gan_vae.data.readers import text

    known = model.method.text
    if files.expand(word).is_file():
        word = text.read(word)[-(known.length // 2) :]
    elif ' ' not in word and word.lower().endswith(('.txt', '.md')):
        raise UserError(f'no file {word!r}')
    return ''.join(c for c in word if c in known.words)


def beginning(value: np.ndarray, steps: int | None) -> np.ndarray:
    """The first `steps` of a sequence; None: its first half."""
    steps = (len(value) + 1) // 2 if steps is None else steps
    if not 1 <= steps <= len(value):
        raise UserError(f'--steps={steps}: take from 1 to {len(value)}, as are given')
    return value[:steps]


def _batches(num: int, seed: int, batch: Callable) -> list:
    draw, key, values = jax.jit(batch), jax.random.key(seed), []
    for start in range(0, num, BATCH):
        values += draw(jax.random.fold_in(key, start)).each()
    return values[:num]


def _padded(values: list[np.ndarray]) -> Padded:
    """Sequences [T, D] as one batch, T the next multiple of BUCKET."""
    lengths = np.array([len(value) for value in values], np.int32)
    longest = -(-max(lengths) // BUCKET) * BUCKET
    rows = [
        np.pad(np.asarray(value, np.float32), ((0, longest - len(value)), (0, 0)))
        for value in values
    ]
    return Padded(np.stack(rows), lengths)
