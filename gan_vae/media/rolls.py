"""Piano rolls [T, 88] as pictures, MIDI files and sound; the first key is A0.

A key that sounds in consecutive steps is one held note.
"""

import importlib.util
import io
import json
import os
import wave
from pathlib import Path

import numpy as np

from gan_vae import images
from gan_vae.errors import UserError

LOWEST = 21  # MIDI's number of A0
KEYS = 88
BEAT = 120  # steps a minute
RATE = 16_000  # samples a second
LARGEST = 2**20  # bytes of a file that is read
LONGEST = 20_000  # steps of it
_BLACK = (1, 4, 6, 9, 11)  # of the twelve from A
_PAPER, _SHADE, _LINE = (250, 249, 246), (240, 238, 233), (214, 210, 202)
_INK, _EDGE = (28, 78, 128), (10, 34, 66)


def notes(roll: np.ndarray) -> list[tuple[int, int, int]]:
    """(key, first step, step after the last) of each held note, in order of time."""
    on = np.pad(np.asarray(roll) > 0, ((1, 1), (0, 0))).astype(np.int8)
    change = np.diff(on, axis=0)
    found = []
    for key in range(roll.shape[1]):
        starts, ends = (np.flatnonzero(change[:, key] == sign) for sign in (1, -1))
        found += [(key, int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
    return sorted(found, key=lambda note: (note[1], note[0]))


def picture(roll: np.ndarray, steps: int = 0, low: int = 0, high: int = KEYS):
    """uint8 [2 (high - low), 2 steps, 3]: time to the right, keys low to high upwards.

    steps: how many to show, by default all; notes are seen to begin anew.
    """
    steps, height = steps or len(roll), high - low
    sheet = np.empty((height, steps, 3), np.uint8)
    sheet[:] = _PAPER
    shaded = [key - low for key in range(low, high) if key % 12 in _BLACK]
    sheet[shaded] = _SHADE
    sheet = sheet.repeat(2, 0).repeat(2, 1)
    for key in range(low, high):
        if key % 12 == 3:  # C
            sheet[2 * (key - low)] = _LINE
    for key, start, end in notes(roll[:steps]):
        if low <= key < high:
            rows = slice(2 * (key - low), 2 * (key - low) + 2)
            sheet[rows, 2 * start : 2 * end] = _INK
            sheet[rows, 2 * start] = _EDGE
    return sheet[::-1]


def pictures(rolls: list[np.ndarray]) -> np.ndarray:
    """uint8 [n, H, W, 3] of one size: the first 64 steps, and the keys in use."""
    steps = min(64, max(max(map(len, rolls)), 8))
    used = np.flatnonzero(np.concatenate(rolls).any(0))
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, KEYS)
    middle = (low + high) // 2
    low, high = max(0, min(low, middle - 18)), min(KEYS, max(high, middle + 18))
    return np.stack([picture(roll, steps, low, high) for roll in rolls])


def can_sound() -> bool:
    """Whether the extra `sequences` is there."""
    return importlib.util.find_spec('pretty_midi') is not None


def midi(roll: np.ndarray, steps_per_minute: float = BEAT, about: dict | None = None):
    """A pretty_midi.PrettyMIDI of a piano; `about` travels in a text event."""
    pretty_midi = _library()
    second = 60 / steps_per_minute
    song = pretty_midi.PrettyMIDI(initial_tempo=steps_per_minute)
    piano = pretty_midi.Instrument(program=0)
    for key, start, end in notes(roll):
        note = pretty_midi.Note(80, LOWEST + key, start * second, end * second)
        piano.notes.append(note)
    song.instruments.append(piano)
    said = json.dumps({'steps': len(roll)} | (about or {}), sort_keys=True)
    song.text_events.append(pretty_midi.Text(said, 0.0))
    return song


def from_midi(path, steps_per_minute: float = BEAT) -> np.ndarray:
    """The roll uint8 [T, 88] of somebody's MIDI file: keys down in the middle of each
    step, drums and keys outside of a piano left out. A UserError for what is none."""
    pretty_midi = _library()
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    if len(raw) > LARGEST:
        raise UserError(f'{path} has {len(raw)} bytes: a MIDI file of at most 1 MiB')
    try:
        song = pretty_midi.PrettyMIDI(io.BytesIO(raw))
        second = 60 / steps_per_minute
        steps = round(song.get_end_time() / second)
        for event in song.text_events:
            steps = max(steps, _steps(event.text))
        if steps > LONGEST:
            raise UserError(f'{path} lasts {steps} steps: at most {LONGEST}')
        roll = np.zeros((steps, KEYS), np.uint8)
        for instrument in song.instruments:
            for note in instrument.notes if not instrument.is_drum else ():
                key = note.pitch - LOWEST
                first, last = (
                    int(np.ceil(t / second - 0.5)) for t in (note.start, note.end)
                )
                if 0 <= key < KEYS:
                    roll[max(first, 0) : last, key] = 1
    except UserError:
        raise
    except Exception as error:  # a library of a format of the eighties: as many kinds
        words = f'{type(error).__name__}: {error}'.splitlines()[0][:100]
        raise UserError(f'{path} is no readable MIDI file ({words})') from error
    if not roll.any():
        raise UserError(f'{path} has no notes of a piano')
    return roll


def sound(roll: np.ndarray, steps_per_minute: float = BEAT):
    """(float32 [samples] within +-0.9, rate): each note a fading sum of harmonics."""
    if not np.any(roll):
        return np.zeros(RATE, np.float32), RATE
    song = midi(roll, steps_per_minute)
    tone = song.synthesize(fs=RATE, wave=_string)
    return (0.9 * tone / max(np.abs(tone).max(), 1e-9)).astype(np.float32), RATE


def save(stem: Path, roll: np.ndarray, about: dict) -> list[Path]:
    """STEM.png, .mid and .wav of one roll; without the extra `sequences` the first."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = [stem.with_name(stem.name + '.png')]
    images.save_png(files[0], pictures([roll])[0], about, zoom=3)
    if can_sound():
        files += [stem.with_name(f'{stem.name}.{kind}') for kind in ('mid', 'wav')]
        part = stem.with_name(stem.name + '.part')
        midi(roll, about=about).write(str(part))
        os.replace(part, files[1])
        tone, rate = sound(roll)
        with wave.open(str(part), 'wb') as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((32767 * tone).astype('<i2').tobytes())
        os.replace(part, files[2])
    return files


def _string(phase):
    """Harmonics of a plucked string, that fades over some hundred of its periods."""
    fade = np.exp(-phase / (2 * np.pi * 250))
    waves = sum(np.sin(n * phase) / n**2 for n in (1, 2, 3, 4))
    return fade * waves


def _steps(text: str) -> int:
    """The number of steps that `midi` wrote down, 0 for others' text."""
    try:
        return int(json.loads(text)['steps'])
    except (ValueError, TypeError, KeyError):
        return 0


def _library():
    try:
        import pretty_midi
    except ImportError as error:
        raise UserError(
            'MIDI and sound need pretty_midi: pip install "gan_vae[sequences]"'
        ) from error
    return pretty_midi
