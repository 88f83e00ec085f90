"""Music and drawings from a run: new ones, ones that go on, and ones in between.

slerp(z_0, z_1; t) of posterior means, for a run that has a latent for the whole.
"""

from pathlib import Path

import jax
import numpy as np

from gan_vae import data, images, media
from gan_vae.art import sample
from gan_vae.data.sequences import BUCKET, FEATURES, Padded
from gan_vae.errors import UserError
from gan_vae.evaluation.path_length import slerp
from gan_vae.training import run_folder

BATCH = 16


def draw(method, state, seed: int, num: int, temperature: float | None = None) -> list:
    """`num` sequences [T, D]; number i is the same for any `num`."""
    return _batches(
        num,
        seed,
        lambda rng: method.tempered(
            state, rng, BATCH, 1.0 if temperature is None else temperature
        ),
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
        num, seed, lambda rng: method.complete(state, rng, shown, BATCH, temperature)
    )


def between(method, state, first: np.ndarray, last: np.ndarray, num: int) -> list:
    """`num` sequences, the ends of which are decoded from the two that are given."""
    longest = max(len(first), len(last))
    both = Padded(
        np.stack([_padded(v, longest) for v in (first, last)]),
        np.array([len(first), len(last)], np.int32),
    )
    ends = np.asarray(method.encode(state, both))
    z = slerp(*ends[:, None].repeat(num, 1), np.linspace(0, 1, num))
    return jax.jit(method.decode)(state, z.astype(np.float32)).each()


def given(word: str, settings, scale: np.ndarray) -> np.ndarray:
    """What somebody hands over: the file of a melody or of a drawing, or the number of
    a sequence of the held-out split.

    settings: config.data; scale [D]: of the run, to which a drawing is fitted. Raises
    UserError for anything else.
    """
    kind = data.kind_of(settings.name)
    if word.isdecimal():
        held = data.examples(settings, settings.eval_split)
        if int(word) >= held.count:
            raise UserError(
                f'{word}: the {settings.eval_split} split has {held.count} sequences, '
                'counted from 0'
            )
        return held.values[int(word)]
    if kind == 'rolls':
        from gan_vae.media import midi

        return midi.from_midi(word)
    from gan_vae.data import drawings

    strokes = drawings.read(word)
    size = np.sqrt(np.square(strokes[:, :2]).mean())
    ways = np.round(strokes[:, :2] * scale[:2] / max(size, 1e-6))
    return np.concatenate([ways, strokes[:, 2:]], -1)


def kept(value: np.ndarray, steps: int | None) -> np.ndarray:
    """The first `steps` of a sequence; None: its first half."""
    steps = (len(value) + 1) // 2 if steps is None else steps
    if not 1 <= steps <= len(value):
        raise UserError(f'--steps={steps}: what is given has {len(value)} steps')
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


def completed(
    workdir,
    thing: str,
    out,
    steps: int | None = None,
    num: int = 8,
    seed: int = 0,
    temperature: float = 1.0,
    step: int | str | None = None,
) -> Path:
    """The folder `out` of `num` ways in which the first `steps` of `thing` go on.

    thing: as `given` takes it; step: which checkpoint, or 'best'.
    """
    sample.check(seed, num, temperature=temperature)
    method, state, about, settings = run_of(workdir, step)
    begun = kept(given(thing, settings, state.ema['constants']['scale']), steps)
    about |= {'operation': 'complete', 'given': [thing], 'steps': len(begun)}
    about |= {'seed': seed, 'temperature': temperature}
    made = complete(method, state, begun, seed, num, temperature)
    return save(Path(out), made, data.kind_of(settings.name), about)


def interpolated(
    workdir, things: list[str], out, num: int = 8, step: int | str | None = None
) -> Path:
    """The folder `out` of `num` sequences from one of the two `things` to the other."""
    sample.check(0, num)
    method, state, about, settings = run_of(workdir, step)
    kind = data.kind_of(settings.name)
    if method.encode is None:
        raise UserError(
            f'interpolate: {workdir} has no latent of a whole {kind[:-1]}, as a '
            'run of configs/sketch_vae_kanji.py has'
        )
    ends = (given(thing, settings, state.ema['constants']['scale']) for thing in things)
    made = between(method, state, *ends, num)
    return save(
        Path(out), made, kind, about | {'operation': 'interpolate', 'given': things}
    )


def run_of(workdir, step: int | str | None = None):
    """(method, state, provenance, config.data) of a run of sequences."""
    settings = run_folder.read_config(workdir).data
    if data.kind_of(settings.name) not in FEATURES:
        raise UserError(f'{workdir} is a run of images: this is for music and drawings')
    return *sample.load(workdir, step), settings


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
