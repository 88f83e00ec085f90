"""Piano rolls: pictures, sound, and MIDI files there and back."""

import io
import json
import os
import struct
import sys
import time
import wave

import mido
import numpy as np
import pretty_midi
import pytest

from gan_vae import images, media
from gan_vae.errors import UserError
from gan_vae.media import midi, rolls

A4 = 48  # of the 88 keys


def roll_of(steps, *held):
    """uint8 [steps, 88] with (key, first step, step after the last)."""
    roll = np.zeros((steps, 88), np.uint8)
    for key, first, last in held:
        roll[first:last, key] = 1
    return roll


def saved(path, **tracks):
    """Writes a MIDI file of the tracks, lists of messages."""
    song = mido.MidiFile(ticks_per_beat=100)
    song.tracks += [mido.MidiTrack(track) for track in tracks.values()]
    song.save(path)
    return path


@pytest.mark.parametrize('speed', (120.0, 97.0, 480.0))
def test_midi_file_gives_the_roll_back(tmp_path, speed):
    rng = np.random.default_rng(0)
    roll = (rng.random((400, 88)) < 0.1).astype(np.uint8)
    roll[:7] = roll[200:220] = roll[-9:] = 0  # silence counts, at the end too
    midi.to_midi(roll, speed, {'seed': 1}).write(str(tmp_path / 'a.mid'))
    np.testing.assert_array_equal(midi.from_midi(tmp_path / 'a.mid'), roll)


def test_a_chord_has_its_times_and_pitches_as_others_read_them(tmp_path):
    roll = roll_of(8, (39, 1, 4), (43, 2, 4), (0, 0, 8), (87, 7, 8))
    midi.to_midi(roll, 60).write(str(tmp_path / 'a.mid'))
    found = pretty_midi.PrettyMIDI(str(tmp_path / 'a.mid')).instruments[0].notes
    found = sorted((n.pitch, round(n.start, 2), round(n.end, 2)) for n in found)
    assert found == [(21, 0, 8), (60, 1, 4), (64, 2, 4), (108, 7, 8)]
    assert mido.MidiFile(tmp_path / 'a.mid').length == pytest.approx(8, abs=0.01)


def test_a_step_is_a_beat_at_any_tempo_without_drums_and_far_keys(tmp_path):
    def on(note, time=0, channel=0, velocity=9):
        return mido.Message(
            'note_on', note=note, time=time, channel=channel, velocity=velocity
        )

    file = saved(
        tmp_path / 'a.MID',
        first=[on(60), on(20), on(60, 200, velocity=0), on(20, 0, velocity=0)],
        second=[
            mido.MetaMessage('set_tempo', tempo=1_000_000, time=100),
            on(72, 0),
            on(72, 100),  # struck again before it ends, the end follows in the tick
            on(72, 0, velocity=0),
            on(72, 100, velocity=0),
            on(38, 0, channel=9),
            on(38, 100, channel=9, velocity=0),
        ],
    )
    for grid in (1, 4):
        want = roll_of(4 * grid, (39, 0, 2 * grid), (51, grid, 3 * grid))
        np.testing.assert_array_equal(midi.from_midi(file, grid), want)


def test_notes_between_the_steps_are_told_of(tmp_path):
    eighths = np.zeros((8, 88), np.uint8)
    eighths[np.arange(8), 40 + np.arange(8)] = 1
    file = tmp_path / 'a.mid'
    midi.to_midi(eighths, 120).write(str(file))
    raw = mido.MidiFile(file)
    raw.ticks_per_beat *= 2  # each of its quarters an eighth
    raw.save(file)
    said = []
    np.testing.assert_array_equal(midi.from_midi(file, 2, said.append), eighths)
    assert not said
    roll = midi.from_midi(file, 1, said.append)
    assert len(roll) == 4 and len(said) == 1 and '4 of 8 notes left out' in said[0]


def hostile():
    """Bytes of a file and what is said of it, by name."""
    head = b'MThd' + struct.pack('>LHHH', 6, 1, 1, 100)
    rng = np.random.default_rng(1)
    whole = io.BytesIO()
    midi.to_midi(roll_of(9, (A4, 2, 5))).write(whole)
    whole = whole.getvalue()
    far = b'\x00\x90\x40\x40' + b'\xff\xff\xff\x7f\x80\x40\x40'
    return {
        'empty.mid': (b'', 'not a readable'),
        'random.mid': (rng.bytes(5000), 'not a readable'),
        'headed.mid': (head + b'MTrk' + rng.bytes(5000), 'not a readable'),
        'cut.mid': (whole[:-20], 'not a readable'),
        'large.mid': (whole + b'\0' * 2**20, 'above 1 MiB'),
        'named.txt': (whole, 'not named .mid'),
        'smpte.mid': (whole[:12] + b'\xe7\x28' + whole[14:], 'common beat'),
        'type2.mid': (whole[:8] + b'\0\2' + whole[10:], 'common beat'),
        'number.mid': (head + b'MTrk' + b'\xff' * (2**20 - 100), 'without end'),
        'long.mid': (head + b'MTrk' + struct.pack('>L', len(far)) + far, '20000 steps'),
        'none.mid': (head + b'MTrk' + struct.pack('>L', 4) + b'\0\xff/\0', 'no notes'),
    }


@pytest.mark.parametrize('name', hostile())
def test_hostile_midi_gets_one_line(tmp_path, name):
    raw, words = hostile()[name]
    (tmp_path / name).write_bytes(raw)
    begun = time.monotonic()
    with pytest.raises(UserError, match=f'{name}.*{words}.*: ') as error:
        midi.from_midi(tmp_path / name)
    assert '\n' not in str(error.value)
    assert time.monotonic() - begun < 5


def test_a_folder_or_no_file_gets_one_line(tmp_path):
    (tmp_path / 'a.mid').mkdir()
    for name in ('a.mid', 'b.mid'):
        with pytest.raises(UserError, match=f'no file .*{name}'):
            midi.from_midi(tmp_path / name)


def test_damaged_bytes_never_escape(tmp_path):
    """Each of many damaged copies of a file is a roll or one line."""
    rng = np.random.default_rng(2)
    file, whole = tmp_path / 'a.mid', io.BytesIO()
    midi.to_midi(roll_of(32, (A4, 2, 5), (50, 8, 30)), provenance={}).write(whole)
    outcomes = set()
    for _ in range(300):
        raw = bytearray(whole.getvalue())
        for place in rng.integers(0, len(raw), 3):
            raw[place] = rng.integers(256)
        file.write_bytes(raw)
        try:
            roll = midi.from_midi(file)
            assert roll.dtype == np.uint8 and roll.shape[1:] == (88,)
            outcomes.add('roll')
        except UserError as error:
            assert '\n' not in str(error)
            outcomes.add('line')
    assert outcomes == {'roll', 'line'}


def test_a4_sounds_at_440_hertz_when_it_is_played():
    samples, rate = rolls.synthesise(roll_of(8, (A4, 2, 6)), 120)
    assert samples.dtype == np.float32 and len(samples) == round(rate * 4.1)
    power = np.abs(np.fft.rfft(samples))
    peak = np.fft.rfftfreq(len(samples), 1 / rate)[power.argmax()]
    assert peak == pytest.approx(440, abs=0.5)
    assert np.abs(samples).max() == pytest.approx(0.9, abs=1e-6)
    loud = np.flatnonzero(np.abs(samples) > 0.01) / rate
    assert loud[0] == pytest.approx(1, abs=0.01) and 2.9 < loud[-1] < 3.1
    # no click: a wave of that pitch and its harmonics moves so far in a sample at most
    assert np.abs(np.diff(samples)).max() < 0.9 * 2 * np.pi * 440 * 4 / rate


def test_the_highest_key_has_no_tone_below_it():
    samples, rate = rolls.synthesise(roll_of(4, (87, 0, 4)))
    power = np.abs(np.fft.rfft(samples)) ** 2
    below = np.fft.rfftfreq(len(samples), 1 / rate) < 4000
    assert power[below].sum() < 1e-3 * power.sum()


def test_silence_sounds_as_silence():
    samples, rate = rolls.synthesise(roll_of(4), 120)
    assert len(samples) == round(2.1 * rate) and not samples.any()


def test_picture_has_the_note_at_its_place_and_its_onset_darker():
    empty, wide, high = rolls.picture(roll_of(6)), 4, 3
    found = rolls.picture(roll_of(6, (10, 2, 4), (87, 5, 6)))
    assert found.shape == (88 * high, 6 * wide, 3) and found.dtype == np.uint8
    rows, columns = np.nonzero((found != empty).any(-1))
    places = set(zip((rows // high).tolist(), (columns // wide).tolist(), strict=True))
    assert places == {(77, 2), (77, 3), (0, 5)}
    row = found[77 * high + 1].astype(int).sum(-1)
    assert row[8] < row[9] == row[15] < row[16] and (row[9:16] == row[9]).all()


def test_pictures_of_rolls_of_any_length_are_of_one_size():
    short = rolls.pictures([roll_of(3), roll_of(300, (3, 0, 300))])
    assert short.shape == (2, *rolls.pictures([roll_of(40)]).shape[1:])


def test_saved_files_hold_the_roll_and_its_provenance(tmp_path):
    roll, about = roll_of(24, (A4, 0, 5), (52, 5, 20)), {'config': 'é', 'seed': 3}
    files = media.of('rolls').save(tmp_path / 'new' / 'a.b', roll, about)
    assert sorted(os.listdir(tmp_path / 'new')) == ['a.b.mid', 'a.b.png', 'a.b.wav']
    song, sound, picture = files
    np.testing.assert_array_equal(midi.from_midi(song), roll)
    texts = [m.text for m in mido.MidiFile(song).tracks[0] if m.type == 'text']
    assert json.loads(texts[0]) == about
    with wave.open(str(sound)) as file:
        assert file.getparams()[:3] == (1, 2, rolls.RATE)
        assert file.getnframes() == len(rolls.synthesise(roll)[0])
    raw = sound.read_bytes()
    assert struct.unpack('<I', raw[4:8])[0] == len(raw) - 8
    assert json.loads(raw.split(b'ICMT')[1][4:].rstrip(b'\0')) == about
    assert images.read_provenance(picture) == about


def test_without_pretty_midi_there_are_pictures_and_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pretty_midi', None)
    roll, medium = roll_of(8, (A4, 0, 8)), media.of('rolls')
    assert medium.audio(roll) is None and len(medium.pictures([roll])) == 1
    with pytest.raises(UserError, match=r"pip install 'gan_vae\[sequences\]'"):
        medium.save(tmp_path / 'a', roll, {})
