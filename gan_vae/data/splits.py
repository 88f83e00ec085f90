"""Names of splits: 'train', 'train+test', 'all', 'train[:64]'; shares by hash."""

import hashlib
import os
import re
from collections.abc import Iterable

from gan_vae.errors import UserError, counted, nearest

NAMES = ('train', 'validation', 'test')
_TENTHS = {'train': range(8), 'validation': range(8, 9), 'test': range(9, 10)}


def joined(
    what: str, split: str, known: tuple[str, ...] = NAMES
) -> tuple[list[str], int | None]:
    """The splits in 'train', 'train+test' or 'all', and N of a slice as 'train[:N]'; a
    UserError for other words than the `known`."""
    match = re.fullmatch(r'(.*)\[:(\d{1,18})\]', split)
    name, most = (match[1], int(match[2])) if match else (split, None)
    if most == 0:
        raise UserError(f'the split {split!r} of {what} is empty')
    parts: list[str] = list(known) if name == 'all' else name.split('+')
    for part in parts:
        if part not in known:
            raise UserError(
                f'{what} has no split {part!r}{nearest(part, known)}: it is one of '
                f'{", ".join(NAMES)}, a join as train+test, all, or a slice as '
                'train[:64]'
            )
    return parts, most


def sliced(what: str, split: str, sizes: dict[str, int]) -> tuple[str, int]:
    """The name in `split`, 'train' or 'train[:64]', and how many examples it takes."""
    match = re.fullmatch(r'(\w+)(?:\[:(\d+)\])?', split)
    if not match or match[1] not in sizes:
        raise UserError(f'{what} has no split {split!r}; one of {", ".join(sizes)}')
    return match[1], min(sizes[match[1]], int(match[2] or sizes[match[1]]))


class ByHash:
    """80/10/10 by the hash of names: files keep their split when others come or go.

    A slice holds the names of least hash, of all classes alike.
    """

    def __init__(self, what: str, split: str):
        self.split = split
        parts, self.most = joined(what, split)
        self.tenths = sorted(t for name in parts for t in _TENTHS[name])

    def of(self, names: Iterable[str]) -> set[str]:
        """The names that are in the split."""
        digests = {n: hashlib.sha256(os.fsencode(n)).digest() for n in names}
        tenths = {n: int.from_bytes(d[:4]) % 10 for n, d in digests.items()}
        inside = [n for n, tenth in tenths.items() if tenth in self.tenths]
        return set(sorted(inside, key=digests.__getitem__)[: self.most])

    def nothing(self, what: str, count: int) -> UserError:
        """The error where `count` files are there, and none is in the split."""
        return UserError(
            f'none of {counted(count, "file")} in {what} falls in split '
            f'{self.split!r}, which takes a tenth or so of them: set '
            'config.data.split=all or config.data.eval_split=all'
        )
