"""Where this computer keeps what can be made again."""

import os
from pathlib import Path


def root() -> Path:
    """The private folder of caches: $GAN_VAE_CACHE, else ~/.cache/gan_vae."""
    folder = os.environ.get('GAN_VAE_CACHE') or Path.home() / '.cache' / 'gan_vae'
    return Path(folder).expanduser()
