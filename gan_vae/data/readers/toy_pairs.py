"""toy_pairs: shapes without their colours, and with them, for tests of translation.

The second of a pair is one of toy_shapes, the first its luma (ITU-R BT.601).
"""

import numpy as np

from gan_vae.data.readers import toy_shapes
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples

KIND = 'images'
LUMA = np.array([0.299, 0.587, 0.114])


def load(rest: str, split: str, settings: Settings) -> Examples:
    """`split` as 'train' or 'test[:100]', uint8 [N, S, S, 6]."""
    coloured = toy_shapes.examples(split, settings.image_size, 3)
    luma = np.round(coloured.images @ LUMA)[..., None].astype(np.uint8)
    pairs = np.concatenate([luma.repeat(3, -1), coloured.images], -1)
    return Examples(images=pairs)
