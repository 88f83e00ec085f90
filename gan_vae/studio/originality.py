"""Is a picture new, or one that its model was trained on? A verdict in a sentence.

By the tool `original`: the distance to the nearest training picture, beside those of
held-out pictures, which nobody can have copied.
"""

from argparse import Namespace

from gan_vae.art import making, tools
from gan_vae.art.progress import Watcher
from gan_vae.art.tools import Model
from gan_vae.errors import UserError
from gan_vae.studio.album import Album
from gan_vae.studio.offers import FEATURES

SURE = 0.05  # share of held-out pictures that are as near, below which it is too near


def judge(album: Album, model: Model, file: str, watcher: Watcher) -> dict:
    """{'says': the sentence, 'p': share of held-out pictures as near}. The index of the
    training pictures is made once, and is a result of the album."""
    data = model.config.data
    if 'all' in (data.split, data.eval_split):
        raise UserError(
            'this model was trained on all of its data: nothing is held out to compare'
        )
    place = f'{data.name}:{data.split}'
    if (index := album.index_of(place)) is None:
        flags = _flags('index', features=FEATURES, size=data.image_size)
        flags.out = str(album.next('index'))
        folder, _ = making.make('index', [place], flags, watcher=watcher)
        album.scan()
        index = f'{folder.name}/index.npz'
    held = f'{data.name}:{data.eval_split}'
    flags = _flags('original', index=index, held=held)
    flags.out = str(album.next('original'))
    _, result = making.make('original', [file], flags, watcher=watcher)
    album.scan()
    (answer,), count = result.metrics['checked'], result.metrics['of']
    return {'says': sentence(answer['held_out_as_near'], count), 'p': answer['p_value']}


def sentence(as_near: int, count: int) -> str:
    """What it means that so many of `count` held-out pictures are as near."""
    share = (1 + as_near) / (1 + count)
    how = f'{as_near} of {count} new pictures are as near to a training picture'
    if share >= SURE:
        return f'It is as new as a new picture: {how}.'
    if as_near:
        return f'It is close to a training picture: only {how}.'
    return f'It may be a copy: none of {count} new pictures is as near to one.'


def _flags(name: str, **given) -> Namespace:
    return Namespace(**tools.defaults(tools.find(name)) | given)
