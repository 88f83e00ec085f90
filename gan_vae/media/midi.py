"""Piano rolls [T, 88] to MIDI files and back; the first key is A0, MIDI's note 21.

A step is a beat: a quarter note of the file, whatever its tempo. A key that sounds in
consecutive steps is one held note, so that a roll comes back as it was, and a note that
is struck again does not.
"""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_vae import modules
from gan_vae.errors import UserError, counted

PRETTY_MIDI = 'pretty_midi', 'MIDI and sound', 'pretty_midi', 'sequences'
LOWEST = 21  # MIDI's number of A0
KEYS = 88
STEPS_PER_MINUTE = 120.0
LARGEST = 2**20  # bytes of a file that is read
LONGEST = 20_000  # steps of it
_VELOCITY = 80
_DRUMS = 9  # their channel
# A number in a file is seven bits a byte while the highest is set, and mido reads one
# of any length in quadratic time.
_ENDLESS = re.compile(rb'[\x80-\xff]{4096}')


def notes(roll: np.ndarray) -> np.ndarray:
    """int [n, 3]: key, first step and step after the last, of each held note."""
    change = np.diff(
        np.pad(np.asarray(roll) > 0, ((1, 1), (0, 0))).astype(np.int8), 1, 0
    )
    # by key, then time: starts and ends of a key take turns
    (key, start), (_, end) = (np.nonzero(change.T == sign) for sign in (1, -1))
    return np.stack([key, start, end], -1)


def to_midi(
    roll: np.ndarray,
    steps_per_minute: float = STEPS_PER_MINUTE,
    provenance: dict | None = None,
):
    """A pretty_midi.PrettyMIDI of a piano, as long as the roll.

    `provenance` travels as JSON in a text event. Raises UserError without pretty_midi.
    """
    pretty_midi = modules.optional(*PRETTY_MIDI)
    second = 60 / steps_per_minute
    song = pretty_midi.PrettyMIDI(initial_tempo=steps_per_minute)
    piano = pretty_midi.Instrument(program=0, name='piano')
    for key, start, end in notes(roll).tolist():
        note = pretty_midi.Note(_VELOCITY, LOWEST + key, start * second, end * second)
        piano.notes.append(note)
    song.instruments.append(piano)
    if provenance is not None:
        text = json.dumps(provenance, sort_keys=True)
        song.text_events.append(pretty_midi.Text(text, 0.0))
    # pretty_midi ends a track with its last event: silence at the end needs one
    song.text_events.append(pretty_midi.Text('end', len(roll) * second))
    return song


def from_midi(path, grid: int = 1, report: Callable = print) -> np.ndarray:
    """The roll uint8 [T, 88] of a MIDI file, up to its end of track: the keys down in
    the middle of each step.

    grid: steps in a quarter note. Drums, the pedal and keys outside of a piano are left
    out, and notes between the middles of two steps, which `report` gets a line about.
    A UserError for what is no such file, above LARGEST bytes or LONGEST steps, or
    without notes.
    """
    path = Path(path)
    raw = _read(path)
    modules.optional(*PRETTY_MIDI)
    try:
        import mido

        if _ENDLESS.search(raw):
            raise ValueError('a number without end')
        song = mido.MidiFile(file=io.BytesIO(raw))
        if song.type not in (0, 1) or song.ticks_per_beat <= 0:
            raise ValueError('tracks without a common beat')
        last = sum(event.time for event in song.merged_track)
        steps = _step(last, song, grid)
        spans = _spans(song) if steps <= LONGEST else []
    except Exception as error:  # mido has as many kinds as a file has bytes
        words = (str(error).strip() or type(error).__name__).splitlines()[0][:80]
        raise UserError(
            f'{path} is not a readable MIDI file ({words}): export it again as a '
            'standard MIDI file of type 0 or 1'
        ) from error
    if steps > LONGEST:
        raise UserError(f'{path} lasts above {LONGEST} steps: cut it into pieces')
    held = np.array(spans, np.int64).reshape(-1, 3) - (LOWEST, 0, 0)
    held = held[(held[:, 0] >= 0) & (held[:, 0] < KEYS)]
    key, first, last = held[:, 0], *(_step(held[:, i], song, grid) for i in (1, 2))
    change = np.zeros((int(steps) + 1, KEYS), np.int32)
    np.add.at(change, (first, key), 1)
    np.add.at(change, (last, key), -1)
    roll = (np.cumsum(change, 0)[:-1] > 0).astype(np.uint8)
    if not roll.any():
        raise UserError(f'{path} has no notes of a piano: choose another file')
    if short := np.count_nonzero(first == last):
        report(
            f'{path}: {short} of {counted(len(held), "note")} left out, as they are '
            f'too short for a step, one of {grid} in a quarter note: more by --grid'
        )
    return roll


def _read(path: Path) -> bytes:
    if path.suffix.lower() not in ('.mid', '.midi'):
        raise UserError(f'{path} is not named .mid or .midi: choose a MIDI file')
    if not path.is_file():
        raise UserError(f'no file {path}: check the path')
    try:
        with open(path, 'rb') as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    if len(raw) > LARGEST:
        raise UserError(f'{path} is above {LARGEST >> 20} MiB: choose a shorter piece')
    return raw


def _step(ticks, song, grid: int):
    """The first step whose middle is not before that tick."""
    steps = np.asarray(ticks, np.float64) * grid / song.ticks_per_beat
    return np.ceil(steps - 0.5).astype(np.int64)


def _spans(song) -> list[tuple[int, int, int]]:
    """(note, first tick, last tick) of each note, track by track."""
    spans = []
    for track in song.tracks:
        down, tick = {}, 0  # (tick, whether it was down before) by channel and note
        for event in track:
            tick += event.time
            if event.type not in ('note_on', 'note_off') or event.channel == _DRUMS:
                continue
            key = event.channel, event.note
            first, again = down.get(key, (None, False))
            if event.type == 'note_on' and event.velocity > 0:
                if first is not None:
                    spans.append((event.note, first, tick))
                down[key] = tick, first is not None
            elif again and first == tick:  # it ends the note before
                down[key] = tick, False
            elif first is not None:
                spans.append((event.note, first, tick))
                del down[key]
        spans += [(note, first, tick) for (_, note), (first, _) in down.items()]
    return spans
