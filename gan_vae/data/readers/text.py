"""text:FILE: a text file in UTF-8, by characters, in pieces.

Pieces are of config.data.segment_steps characters, 256 where that is 0. The first 90 %
of them are `train`, then 5 % `validation` and 5 % `test`.
"""

from gan_vae import files
from gan_vae.data import writing
from gan_vae.data.sequences import Sequences
from gan_vae.data.settings import Settings
from gan_vae.data.splits import joined
from gan_vae.errors import UserError

KIND, REST, PLACE = 'text', 'FILE', True
PIECE = 256  # characters
LARGEST = 2**27  # bytes
SHARES = {'train': (0.0, 0.9), 'validation': (0.9, 0.95), 'test': (0.95, 1.0)}


def load(path: str, split: str, settings: Settings) -> Sequences:
    """The pieces of `split` ('train', 'test', 'train+test', 'all')."""
    parts, most = joined('text', split, tuple(SHARES))
    text, size = read(path), settings.segment_steps or PIECE
    starts = range(0, len(text) - 1, size)
    if len(starts) < 20:
        raise UserError(
            f'{path} has {len(text)} characters: too few for 20 pieces of {size}; a '
            'smaller config.data.segment_steps'
        )
    pieces = [text[start : start + size] for start in starts]
    chosen = [
        piece
        for part in parts
        for low, high in [SHARES[part]]
        for piece in pieces[round(low * len(pieces)) : round(high * len(pieces))]
    ]
    values = tuple(writing.points(piece) for piece in chosen[:most])
    return Sequences('text', values)


def read(path: str) -> str:
    """The text of a file; a UserError for one that is none."""
    file = files.expand(path)
    if file.is_dir():
        raise UserError(f'{path} is a folder: give a text file')
    if not file.is_file():
        raise UserError(f'no file {path!r}')
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f'{path} has more than {LARGEST >> 20} MiB')
        text = file.read_bytes().decode('utf-8-sig')
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise UserError(
            f'{path} is no text in UTF-8: byte {error.start} is not; save it as UTF-8'
        ) from error
    return text.replace('\r\n', '\n').replace('\0', '').replace('\1', '')
