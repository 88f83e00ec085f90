"""Sets of sequences that TFDS has prepared on disk: piano rolls and sketches."""

import numpy as np

from gan_vae.data import piano_rolls, prepared, sketches
from gan_vae.data.sequences import Sequences
from gan_vae.errors import UserError

FEATURES = {
    piano_rolls.FEATURE: 'rolls',
    sketches.FEATURE: 'strokes',
}  # of a set, and its kind


def load(name: str, split: str, directory: str) -> Sequences:
    """Reads split `split` (TFDS slicing included) of a prepared set."""
    folder = prepared.find(name, directory)
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    feature = next((f for f in FEATURES if f in builder.info.features), None)
    if feature is None:
        raise UserError(f'{folder} holds no sequences: prepare {name} again')
    dataset = prepared.of_split(builder, split)
    values = [example[feature] for example in tfds.as_numpy(dataset)]
    kind = FEATURES[feature]
    dtype = np.uint8 if kind == 'rolls' else np.float32
    return Sequences(kind, tuple(value.astype(dtype) for value in values))
