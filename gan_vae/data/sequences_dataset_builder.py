"""The TFDS builder of piano rolls and sketches: reads a file, opens no socket."""

import tensorflow_datasets as tfds

from gan_vae.errors import UserError


def builder(ours, name: str, data_dir, archive=None) -> tfds.core.DatasetBuilder:
    """Of the set `name`; `archive`: its file, needed only to prepare it.

    ours: the module of the set, piano_rolls or sketches, with FEATURE, STEP, DTYPE,
    HOMEPAGE, SETS and read.
    """

    class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version('1.0.0')

        def _info(self) -> tfds.core.DatasetInfo:
            steps = tfds.features.Tensor(shape=(None, ours.STEP), dtype=ours.DTYPE)
            return self.dataset_info_from_configs(
                description=ours.__doc__,
                homepage=ours.HOMEPAGE,
                license=ours.SETS[name].licence,
                features=tfds.features.FeaturesDict({ours.FEATURE: steps}),
            )

        def _split_generators(self, dl_manager):
            if archive is None:
                raise UserError(f'{name} is built from {ours.SETS[name].file_name}')
            return {
                split: self._generate_examples(values)
                for split, values in ours.read(name, archive).items()
            }

        def _generate_examples(self, values):
            for number, value in enumerate(values):
                yield number, {ours.FEATURE: value}

    Builder.name = name  # TFDS takes it from the class's own
    return Builder(data_dir=data_dir)
