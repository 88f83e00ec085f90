"""Parsed sets on disk, so that a second start is instant and large sets can stream.

A set is a folder named by the hash of all that it was made from: `images.bin` (uint8,
[N, H, W, C]) and `set.json`. It is written beside its place and moved there whole.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gan_vae import cache, files
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

Parse = Callable[[dict[str, Any]], Iterator[tuple[np.ndarray, int, str]]]


def cached(
    key: Mapping[str, Any],
    shape: tuple[int, int, int],
    parse: Parse,
    settings: Settings,
) -> Examples:
    """The set of `key`, parsed once.

    `parse(about)` yields (image uint8 `shape`, label or -1, caption or ''), and may put
    'class_names', 'note' and 'factors' {name: list} into the dict `about`. `settings`:
    the section `data` of a config, for `storage` ('memory' or 'stream') and
    `memory_gb`.
    """
    text = json.dumps([key, shape], sort_keys=True)
    folder = cache.root() / 'data' / hashlib.sha256(text.encode()).hexdigest()[:24]
    try:
        if not (folder / 'set.json').is_file():
            _write(folder, shape, parse)
        about = json.loads((folder / 'set.json').read_text())
        size = (about['size'], *shape)
        if (folder / 'images.bin').stat().st_size != np.prod(size):
            raise UserError(f'the cached set {folder} is damaged: delete that folder')
        if about['size']:
            images = np.memmap(folder / 'images.bin', np.uint8, 'r', shape=size)
        else:  # an empty file cannot be mapped
            images = np.empty(size, np.uint8)
    except OSError as error:
        raise UserError(
            f'cannot use the cache {folder}: {error.strerror or error}; '
            'set GAN_VAE_CACHE to a folder with room'
        ) from error
    if settings.storage == 'memory':
        if images.nbytes > settings.memory_gb * 1e9:
            raise UserError(
                f'the set takes {images.nbytes / 1e9:.1f} GB, more than '
                f'config.data.memory_gb={settings.memory_gb}: raise it, or set '
                'config.data.storage=stream to read it from disk'
            )
        images = np.array(images)
    labels = np.asarray(about['labels'], np.int32)
    return Examples(
        images=images,
        labels=labels if about['class_names'] else None,
        class_names=tuple(about['class_names']),
        captions=tuple(about['captions']) if any(about['captions']) else (),
        factors={k: np.asarray(v) for k, v in about['factors'].items()}
        if about.get('factors')
        else None,
        note=about['note'],
    )


def _write(folder: Path, shape: tuple[int, int, int], parse: Parse):
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with files.temporary_folder(folder.parent) as part:
        about: dict[str, Any] = {'class_names': [], 'note': ''}
        labels, captions = [], []
        with open(part / 'images.bin', 'wb') as file:
            for image, label, caption in parse(about):
                assert image.shape == tuple(shape) and image.dtype == np.uint8
                file.write(image.tobytes())
                labels.append(int(label))
                captions.append(caption)
        about |= {'size': len(labels), 'labels': labels, 'captions': captions}
        (part / 'set.json').write_text(json.dumps(about))
        if not (folder / 'set.json').exists():  # another process may have been faster
            os.replace(part, folder)
