"""Pictures of a folder or an archive as a set, flat or in class folders.

PNG, JPEG and WebP of any size and mode. What cannot be used is named in one line and
left out; the rest is split by the hash of the names. The classes are the first folders
in which there is a usable picture; a usable picture beside them makes the set flat.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from gan_vae.data import cache, listing, sidecars
from gan_vae.data.pictures import Fit, Unusable, fit
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples
from gan_vae.data.splits import ByHash
from gan_vae.errors import UserError, counted


class File(NamedTuple):
    """A file that may be a picture."""

    name: str  # in the collection, '/' between parts
    stamp: tuple[int, ...]  # another one when the content is another
    open: Callable[[], Image.Image]  # raises Unusable
    read: Callable[[int], bytes]  # at most so many of its bytes; raises OSError

    @property
    def group(self) -> str:
        """The first folder of the name; '' where it is in none."""
        first, slash, _ = self.name.partition('/')
        return first if slash else ''


def examples(
    where: str,
    key: str,
    files: list[File],
    left_out: list[str],
    split: str,
    settings: Settings,
) -> Examples:
    """The set of a split ('train', 'test', 'train+test', 'all').

    where: the collection in messages. key: what it is known by, beside its files.
    left_out: 'name (reason)' of what is left out already.
    """
    contents = {file.name: file.read for file in files}
    said = sidecars.of(where, contents, lambda name, most: _read(contents, name, most))
    files = [file for file in files if file.name not in said.used]
    how, by_hash = Fit.of(settings), ByHash(where, split)
    chosen = by_hash.of(file.name for file in files)
    identity: dict[str, Any] = {
        'collection': key,
        'files': [(file.name, *file.stamp) for file in files],
        'tenths': by_hash.tenths,
        'fit': how,
    }
    if said.captions:
        identity['captions'] = sorted(said.captions.items())
    if by_hash.most is not None:
        identity['most'] = by_hash.most

    def parse(about: dict[str, Any]) -> Iterator[tuple[np.ndarray, int, str]]:
        skipped: dict[str, str] = {}

        def image(file: File) -> np.ndarray | None:
            """uint8 [size, size, channels], or None and the reason in `skipped`."""
            if file.name in skipped:
                return None
            try:
                picture = file.open()
                if 2 * min(picture.size) < how.size:
                    raise Unusable(f'only {picture.width}x{picture.height}')
                return fit(picture, how)
            except Unusable as error:
                skipped[file.name] = f'{file.name} ({error})'

        groups: dict[str, list[File]] = {}
        for file in files:
            groups.setdefault(file.group, []).append(file)
        usable = {  # the first usable picture of each group that has one
            group: file
            for group, members in sorted(groups.items())
            if (file := next((f for f in members if image(f) is not None), None))
        }
        top = usable.pop('', None)
        names = [] if top else list(usable)
        used: set[int] = set()
        wanted = [file for file in files if file.name in chosen]
        for file in listing.progress(wanted, where, len(wanted)):
            if (pixels := image(file)) is None:
                continue
            label = names.index(file.group) if names else -1
            used.add(label)
            base = file.name.rpartition('/')[2]
            stem = base.rpartition('.')[0] or base.removeprefix('.')
            named = listing.printable(stem).replace('_', ' ')
            yield pixels, label, said.captions.get(file.name, named)
        inside = [text for name, text in skipped.items() if name in chosen]
        if not used and not inside and files:
            raise by_hash.nothing(where, len(files))
        if not used:
            note = listing.note(left_out + inside)
            raise UserError(
                f'no usable pictures in {where} (split {split!r}): it takes PNG, JPEG '
                f'and WebP of at least {-(-how.size // 2)} pixels, subfolders too, and '
                f'has {counted(len(files), "file")}' + (f'; {note}' if note else '')
            )
        notes = [listing.note(inside)]
        if top and usable:
            notes.append(
                f'no classes, as {listing.printable(top.name)} lies beside '
                'the folders: move it into one of them to make each a class'
            )
        about['class_names'] = [listing.printable(name) for name in names]
        lacking = [n for i, n in enumerate(about['class_names']) if i not in used]
        if lacking:
            listed = ', '.join(lacking[:8])
            notes.append(f'split {split!r} has no pictures of {listed}')
        if len({name.casefold() for name in names}) < len(names):
            notes.append('some classes differ in upper and lower case alone')
        about['note'] = '; '.join(filter(None, notes))

    pictures = cache.cached(identity, how.shape, parse, settings)
    # What is left out already may change while the set does not: the folder of a run.
    lacking = sum(
        file.name not in said.captions and not file.name.lower().endswith('.txt')
        for file in files
    )
    if said.captions and lacking:
        named = counted(lacking, 'picture')
        said.notes.append(f'{named} without a caption: the file name is taken')
    every = (listing.note(left_out), *said.notes, pictures.note)
    notes = '; '.join(filter(None, every))
    return pictures._replace(note=f'{where}: {notes}' if notes else '')


def _read(contents: dict[str, Callable[[int], bytes]], name: str, most: int) -> bytes:
    try:
        return contents[name](most)
    except (OSError, Unusable) as error:
        why = getattr(error, 'strerror', None) or error
        raise UserError(f'cannot read {listing.printable(name)}: {why}') from error
