"""folder:PATH: a folder of pictures, flat or in class folders, with links followed."""

from functools import partial
from pathlib import Path

from gan_vae.data import collection, licences, listing
from gan_vae.data.pictures import open_picture
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples

KIND, REST, PLACE = 'images', 'PATH', True


def licence(path: str, settings: Settings) -> str:
    """As files of the folder say."""
    return licences.of_folder(path)


def load(path: str, split: str, settings: Settings) -> Examples:
    """The pictures of `split` ('train', 'test', 'train+test', 'all')."""
    root, files, names, left_out = listing.of(path)
    pictures = []
    for file, name in zip(files, names, strict=True):
        about = file.stat()
        stamp = about.st_size, about.st_mtime_ns
        opened = partial(open_picture, file)
        pictures.append(collection.File(name, stamp, opened, partial(_read, file)))
    key = str(root.resolve())
    return collection.examples(repr(path), key, pictures, left_out, split, settings)


def _read(file: Path, most: int) -> bytes:
    with file.open('rb') as content:
        return content.read(most)
