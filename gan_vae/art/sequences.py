"""Music and drawings from a run: new ones, ones that go on, and ones in between.

slerp(z_0, z_1; t) of posterior means, for a run that has a latent for the whole.
"""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from gan_vae import data, images, media
from gan_vae.art.tools import Run
from gan_vae.data.sequences import BUCKET, Padded
from gan_vae.errors import UserError
from gan_vae.evaluation.path_length import slerp

BATCH = 16


def draw(method, state, seed: int, num: int, temperature: float | None = None) -> list:
    """`num` sequences [T, D]; number i is the same for any `num`."""
    return _batches(
        num,
        seed,
        lambda key: method.generate(state, key, BATCH, None, temperature),
    )


def complete(
    method, state, begun: np.ndarray, seed: int, num: int, temperature: float = 1.0
) -> list:
    """`num` sequences that go on from `begun` [T, D], whose steps stay as they are."""
    shown = Padded(
        np.repeat(_padded(begun)[None], BATCH, 0),
        np.full(BATCH, len(begun), np.int32),
    )
    return _batches(
        num,
        seed,
        lambda key: method.continuation(state, key, shown, BATCH, temperature),
    )


def between(method, state, first: np.ndarray, last: np.ndarray, num: int) -> list:
    """`num` sequences, the ends of which are decoded from the two that are given."""
    longest = max(len(first), len(last))
    both = Padded(
        np.stack([_padded(v, longest) for v in (first, last)]),
        np.array([len(first), len(last)], np.int32),
    )
    ends = np.asarray(method.latents.encode(state, both))
    z = slerp(*ends[:, None].repeat(num, 1), np.linspace(0, 1, num))
    return jax.jit(method.latents.decode)(state, z.astype(np.float32)).each()


def given(word: str, run: Run, grid: int = 1, tell: Callable = print) -> np.ndarray:
    """What somebody hands over, [T, D]: the file of a melody or of a drawing, which is
    fitted to the run's scale, or the number of a sequence of the held-out split.

    grid: steps in a quarter note of a MIDI file. Raises UserError for anything else.
    """
    settings = run.config.data
    if word.isdecimal():
        held = data.examples(settings, settings.eval_split)
        if int(word) >= held.count:
            raise UserError(
                f'{word}: the {settings.eval_split} split has {held.count} sequences, '
                'counted from 0'
            )
        return held.values[int(word)]
    if run.kind == 'rolls':
        from gan_vae.media import midi

        return midi.from_midi(word, grid, tell)
    from gan_vae.data.readers import drawings

    strokes, scale = drawings.read(word), run.state.averaged['constants']['scale']
    size = np.sqrt(np.square(strokes[:, :2]).mean())
    ways = np.round(strokes[:, :2] * scale[:2] / max(size, 1e-6))
    return np.concatenate([ways, strokes[:, 2:]], -1)


def kept(value: np.ndarray, steps: int | None) -> np.ndarray:
    """The first `steps` of a sequence; None: its first half."""
    steps = (len(value) + 1) // 2 if steps is None else steps
    if not 1 <= steps <= len(value):
        raise UserError(f'--steps={steps}: take from 1 to {len(value)}, as are given')
    return value[:steps]


def save(folder: Path, values: list, kind: str, provenance: dict) -> Path:
    """Each sequence in all formats of its kind, and one picture of all, FOLDER.png."""
    medium = media.of(kind)
    try:
        for number, value in enumerate(values):
            about = provenance | {'number': number}
            medium.save(folder / f'{number:05d}', value, about)
        sheet = folder.with_name(f'{folder.name}.png')
        images.save_png(sheet, images.grid(medium.pictures(values[:256])), provenance)
    except OSError as error:
        raise UserError(f'cannot write in {folder}: {error.strerror}') from error
    return folder


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
