"""TFDS builder of Noto Emoji; reads a downloaded archive and opens no socket."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from gan_vae.data import noto_emoji
from gan_vae.errors import UserError


class Builder(tfds.core.GeneratorBasedBuilder):
    """`Builder(archive=PATH)`: the package archive, needed only to prepare the set."""

    VERSION = tfds.core.Version(noto_emoji.PACKAGE.version)

    def __init__(self, *, archive: Path | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self._archive = archive

    def _info(self) -> tfds.core.DatasetInfo:
        text, label = tfds.features.Text, tfds.features.ClassLabel
        shape = (noto_emoji.SIZE, noto_emoji.SIZE, 4)
        return self.dataset_info_from_configs(
            description=noto_emoji.__doc__,
            homepage='https://github.com/googlefonts/noto-emoji',
            license='Pictures: Apache-2.0 (Google); names and categories: MIT.',
            features=tfds.features.FeaturesDict(
                {
                    'image': tfds.features.Image(shape=shape, encoding_format='png'),
                    'codepoint': text(),
                    'base_codepoint': text(),
                    'name': text(),
                    'short_name': text(),
                    'category': label(names=noto_emoji.CATEGORIES),
                    'subcategory': text(),
                    'skin_tone': label(names=noto_emoji.SKIN_TONES),
                }
            ),
            supervised_keys=('image', 'category'),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        if self._archive is None:
            raise UserError(
                'noto_emoji is built from an archive: run '
                '`python -m gan_vae.data.prepare noto_emoji`'
            )
        emoji = noto_emoji.read(self._archive)
        return {
            split: self._generate_examples([e for e in emoji if e.split == split])
            for split in ('train', 'validation', 'test')
        }

    def _generate_examples(self, emoji: list[noto_emoji.Emoji]):
        for one in emoji:
            example = one._asdict() | {'image': np.asarray(one.picture())}
            example['base_codepoint'] = example.pop('base')
            del example['png']
            yield one.codepoint, example
