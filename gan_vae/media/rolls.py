"""Piano rolls [T, 88] as pictures and sound; a key that goes on sounding is one note.

Pictures need nothing but NumPy; sound and MIDI files (`gan_vae.media.midi`) need the
extra `sequences`.
"""

import importlib.util
import io
import json
import struct
import wave
from pathlib import Path

import numpy as np

from gan_vae import files, images
from gan_vae.media import midi
from gan_vae.media.midi import KEYS, STEPS_PER_MINUTE

RATE = 16_000  # samples a second
SHOWN = 64  # steps in a grid
_FRAME = 4  # pixels
HEARD = 60.0  # seconds in TensorBoard
PEAK = 0.9
_RELEASE = 0.1  # seconds: pretty_midi's fade, which here follows the note
_ATTACK = 0.008  # seconds
_HARMONICS = range(1, 9)
_WIDEST = 8192  # pixels of a saved picture, about
_C = 3  # of the twelve from A
_BLACK = np.array([1, 4, 6, 9, 11])
_BAR = 16  # steps between the vertical lines
_WHITE_KEY, _BLACK_KEY = (251, 250, 247), (241, 240, 236)
_C_LINE, _BAR_LINE = (206, 203, 196), (226, 224, 218)
_NOTE, _ONSET = (36, 103, 182), (11, 42, 92)
_PROMPT = (214, 64, 42)
_BEYOND = (235, 235, 235)  # after the end: the seams of a grid


def picture(
    roll: np.ndarray,
    cell: tuple[int, int] = (4, 3),
    steps: int | None = None,
    keys: tuple[int, int] = (0, KEYS),
    prompt_steps: int = 0,
) -> np.ndarray:
    """uint8 [height, width, 3]: time to the right, keys of range(*keys) upwards.

    cell: width and height in pixels of one key in one step. steps: how many to show, by
    default all; what lies after the end is grey. prompt_steps: a line stands after so
    many. A note's first pixels are darker.
    """
    (wide, high), (low, top) = cell, keys
    notes = np.asarray(roll)[:steps] > 0
    steps = steps or max(len(notes), 1)
    paper = np.empty((steps, KEYS, 3), np.uint8)
    paper[:] = _WHITE_KEY
    paper[:, np.isin(np.arange(KEYS) % 12, _BLACK)] = _BLACK_KEY
    paper[len(notes) :] = _BEYOND
    sheet = paper.repeat(wide, 0).repeat(high, 1)
    inside = sheet[: wide * len(notes)]
    inside[wide * _BAR :: wide * _BAR] = _BAR_LINE
    inside[:, high * _C :: high * 12] = _C_LINE

    sounds = np.zeros((len(notes), wide, KEYS, high), bool)
    sounds[:] = notes[:, None, :, None]
    sounds[..., high - high // 4 :] = False  # a gap between neighbours, if it can be
    begins = sounds.copy()
    begins[1:] &= ~notes[:-1, None, :, None]
    begins[:, max(1, wide // 4) :] = False
    inside[sounds.reshape(inside.shape[:2])] = _NOTE
    inside[begins.reshape(inside.shape[:2])] = _ONSET
    if prompt_steps:
        inside[wide * prompt_steps : wide * prompt_steps + 2] = _PROMPT
    return sheet[:, high * low : high * top].transpose(1, 0, 2)[::-1]


def pictures(rolls: list[np.ndarray], prompt_steps: int = 0) -> np.ndarray:
    """uint8 [n, 272, 264, 3]: all keys, in the first SHOWN steps, and a frame.

    Of one size whatever they play, so that the grids of a run make a film.
    """
    sheets = [picture(roll, steps=SHOWN, prompt_steps=prompt_steps) for roll in rolls]
    frame = (0, 0), (_FRAME, _FRAME), (_FRAME, _FRAME), (0, 0)
    return np.pad(np.stack(sheets), frame, constant_values=_BEYOND[0])


def synthesise(
    roll: np.ndarray, steps_per_minute: float = STEPS_PER_MINUTE
) -> tuple[np.ndarray, int]:
    """(float32 [samples] within +-PEAK, rate): plucked strings that fade as they sound.

    Raises UserError without pretty_midi.
    """
    song = midi.to_midi(roll, steps_per_minute)
    samples = np.zeros(round(RATE * (len(roll) * 60 / steps_per_minute + _RELEASE)))
    if np.any(roll):
        for note in song.instruments[0].notes:
            note.end += _RELEASE
        sound = song.instruments[0].synthesize(fs=RATE, wave=_string)[: len(samples)]
        samples[: len(sound)] = PEAK * sound / np.abs(sound).max()
    return samples.astype(np.float32), RATE


def audio(roll: np.ndarray) -> tuple[np.ndarray, int] | None:
    """`synthesise` of the first HEARD seconds; None without the extra `sequences`."""
    if importlib.util.find_spec('pretty_midi') is None:
        return None
    return synthesise(roll[: int(HEARD * STEPS_PER_MINUTE / 60)])


def save(
    path: Path, roll: np.ndarray, provenance: dict, prompt_steps: int = 0
) -> list[Path]:
    """Writes PATH.mid, .wav and .png of the octaves in use, each with its provenance.

    Raises UserError without pretty_midi.
    """
    path = Path(path)
    mid, wav, png = (path.with_name(f'{path.name}.{k}') for k in ('mid', 'wav', 'png'))
    song = io.BytesIO()
    midi.to_midi(roll, provenance=provenance).write(song)
    files.write(mid, song.getvalue())
    files.write(wav, _wav(*synthesise(roll), provenance))
    wide = min(8, max(2, _WIDEST // max(len(roll), 1)))
    sheet = picture(roll, (wide, 8), keys=_octaves(roll), prompt_steps=prompt_steps)
    images.save_png(png, sheet, provenance)
    return [mid, wav, png]


def _octaves(roll: np.ndarray) -> tuple[int, int]:
    """The keys from the C below all notes to the C above them; at least two octaves."""
    used = np.flatnonzero(np.any(roll, 0))
    first, last = (used[0], used[-1]) if len(used) else (KEYS // 2, KEYS // 2)
    low = (first - _C) // 12 * 12 + _C
    top = max((last - _C) // 12 * 12 + 12 + _C, low + 24)
    return max(0, int(low)), min(KEYS, int(top))


def _string(phase: np.ndarray) -> np.ndarray:
    """Harmonics of a note, the higher ones softer and sooner over; begins without a
    click. phase [samples]: of its fundamental, from 0."""
    seconds = np.arange(len(phase)) / RATE
    step = phase[1] if len(phase) > 1 else np.pi
    sound = np.zeros(len(phase))
    for n in _HARMONICS:
        if n * step < np.pi:  # others would be heard as lower tones
            sound += np.sin(n * phase) * np.exp(-1.5 * (n - 1) * seconds) / n**1.5
    return sound * np.minimum(1, seconds / _ATTACK)


def _wav(samples: np.ndarray, rate: int, provenance: dict) -> bytes:
    """A WAV file, mono, 16 bits, with the provenance as the comment of its INFO."""
    file = io.BytesIO()
    with wave.open(file, 'wb') as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.round(32767 * samples).astype('<i2').tobytes())
    comment = json.dumps(provenance, sort_keys=True).encode() + b'\0'
    comment += b'\0' * (len(comment) % 2)
    info = b'INFOICMT' + struct.pack('<I', len(comment)) + comment
    body = file.getvalue()[8:] + b'LIST' + struct.pack('<I', len(info)) + info
    return b'RIFF' + struct.pack('<I', len(body)) + body
