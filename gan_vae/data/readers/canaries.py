"""canaries:SET: a set of pictures with COUNT pictures of noise planted where it is
trained on, as many as the split `spare` has, which nobody is trained on.

What a model knows of the planted ones beyond the others it keeps of single examples,
for they have nothing in common: Carlini et al. 2019, arXiv:1802.08232. Their pixels and
classes are drawn evenly.
"""

import numpy as np

from gan_vae.data import readers
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.errors import UserError

KIND, REST = 'images', 'SET'
COUNT = 100
PLANTED, SPARE = 'planted', 'spare'


def licence(rest: str, settings: Settings) -> str:
    """That of the set."""
    from gan_vae.data import licences

    return licences.of_name(rest, settings)


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The split `settings.split` with what is planted in it, another one as it is, or
    the canaries of the splits 'planted' and 'spare' alone."""
    reader, own = readers.find(rest)
    if readers.kind_of(rest) != 'images':
        raise UserError(f'canaries:{rest}: {rest} is not of pictures')
    if split in (PLANTED, SPARE):
        return drawn(reader.load(own, settings.split, settings), split)
    loaded = reader.load(own, split, settings)
    if split != settings.split:
        return loaded
    more, labels = drawn(loaded, PLANTED), loaded.labels
    if labels is not None and more.labels is not None:
        labels = np.concatenate([labels, more.labels])
    return loaded._replace(
        images=np.concatenate([loaded.images, more.images]),
        labels=labels,
        captions=loaded.captions and loaded.captions + more.captions,
        factors=None,
        reworded=None,  # which goes by factors
    )


def drawn(like: Examples, split: str) -> Examples:
    """COUNT canaries of the shape and the classes of other pictures."""
    random = np.random.Generator(np.random.Philox([PLANTED, SPARE].index(split)))
    shape = COUNT, *like.images.shape[1:]
    images = random.integers(0, 256, shape, np.uint8)
    labels = random.integers(0, max(1, len(like.class_names)), COUNT, np.int32)
    return Examples(
        images,
        labels=None if like.labels is None else labels,
        class_names=like.class_names,
        captions=like.captions and ('noise',) * COUNT,
    )
