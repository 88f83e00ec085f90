"""emoji: the embedded set, 1,636 Noto emoji of 32x32 in 8 categories."""

import numpy as np

from gan_vae.data import emoji
from gan_vae.data.pictures import Fit, fit_array
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

KIND = 'images'
licence = 'Apache-2.0 (Google, Noto Emoji)'


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The emoji of `split` ('train', 'test', 'train+test', 'all'), in categories."""
    how = Fit.of(settings)
    images, labels, names, categories = emoji.load(split)
    if how.size > images.shape[1]:
        raise UserError(
            f'pictures of {how.size} pixels are wanted, and the embedded emoji have '
            '32: set config.data.image_size=32 (--size=32 in an evaluation of two '
            'sets), or take emoji_set:noto, which `python -m gan_vae.data.prepare '
            'emoji_set` fetches'
        )
    images = np.stack([fit_array(image, how) for image in images])
    return Examples(images, labels, tuple(categories), tuple(names))
