"""TFDS builders of the sketches; they read a file on disk and open no socket."""

import numpy as np
import tensorflow_datasets as tfds

from gan_vae.data import sketches
from gan_vae.errors import UserError


def builder(name: str, data_dir, archive=None) -> tfds.core.DatasetBuilder:
    """Of a set of sketches.SETS; `archive`: its file, needed only to prepare it."""
    wanted = sketches.SETS[name]

    class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version('1.0.0')

        def _info(self) -> tfds.core.DatasetInfo:
            strokes = tfds.features.Tensor(shape=(None, 3), dtype=np.int16)
            return self.dataset_info_from_configs(
                description=sketches.__doc__,
                homepage='https://github.com/hardmaru/sketch-rnn-datasets',
                license=wanted.licence,
                features=tfds.features.FeaturesDict({'strokes': strokes}),
            )

        def _split_generators(self, dl_manager):
            if archive is None:
                raise UserError(f'{name} is built from {wanted.name}')
            return {
                split: self._generate_examples(drawings)
                for split, drawings in sketches.read(name, archive).items()
            }

        def _generate_examples(self, drawings):
            for number, drawing in enumerate(drawings):
                yield number, {'strokes': drawing}

    Builder.name = name  # TFDS takes it from the class's own
    return Builder(data_dir=data_dir)
