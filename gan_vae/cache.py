"""Where this computer keeps what can be made again."""

import atexit
import functools
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from gan_vae import files


def root() -> Path:
    """The private folder of caches: $GAN_VAE_CACHE, else ~/.cache/gan_vae.

    Without a home folder it is a temporary one, which ends with the process.
    """
    if folder := os.environ.get('GAN_VAE_CACHE'):
        return Path(os.path.expanduser(folder))
    try:
        return Path.home() / '.cache' / 'gan_vae'
    except RuntimeError:
        return _temporary()


@functools.cache
def _temporary() -> Path:
    stack = ExitStack()
    folder = stack.enter_context(files.temporary_folder())
    atexit.register(stack.close)
    print(
        'gan_vae: no home folder: nothing is cached for the next command; set '
        'GAN_VAE_CACHE to a folder',
        file=sys.stderr,
        flush=True,
    )
    return folder
