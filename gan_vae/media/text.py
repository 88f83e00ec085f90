"""Texts, as code points [T, 1], on a page and in a file.

GAN_VAE_FONT is the file of a font for scripts that the built-in one lacks, as Chinese.
"""

import os
from pathlib import Path

import numpy as np

from gan_vae import files, images
from gan_vae.data import writing
from gan_vae.errors import UserError

PAGE, LETTER = 192, 14  # pixels of a side of a page in a grid, and of a letter
PAPER, INK, PROMPT = (252, 251, 248), (30, 32, 40), (36, 103, 182)
MARGIN = 8


def picture(values: np.ndarray, size: int = PAGE, prompt_steps: int = 0) -> np.ndarray:
    """uint8 [size, size, 3]: what fits on the page; the first `prompt_steps` in another
    ink."""
    from PIL import Image, ImageDraw

    sheet, font = Image.new('RGB', (size, size), PAPER), _font()
    ink, x, y = ImageDraw.Draw(sheet), MARGIN, MARGIN
    for number, letter in enumerate(writing.string(values)):
        width = font.getlength(letter) if letter != '\n' else size
        if x + width > size - MARGIN:
            x, y = MARGIN, y + LETTER + 4
        if letter != '\n':
            colour = PROMPT if number < prompt_steps else INK
            ink.text((x, y), letter, colour, font)
            x += width
    return np.asarray(sheet)


def _font():
    from PIL import ImageFont

    if not (file := os.environ.get('GAN_VAE_FONT')):
        return ImageFont.load_default(LETTER)
    try:
        return ImageFont.truetype(file, LETTER)
    except OSError as error:
        raise UserError(f'GAN_VAE_FONT={file} is no font: {error}') from error


def pictures(texts: list[np.ndarray], prompt_steps: int = 0) -> np.ndarray:
    """uint8 [n, PAGE, PAGE, 3]."""
    return np.stack([picture(each, PAGE, prompt_steps) for each in texts])


def audio(values: np.ndarray) -> None:
    """Texts make no sound."""
    return None


def save(
    path: Path, values: np.ndarray, provenance: dict, prompt_steps: int = 0
) -> list[Path]:
    """Writes PATH.txt, the text alone, and PATH.png, its page with its provenance."""
    path = Path(path)
    txt, png = (path.with_name(f'{path.name}.{kind}') for kind in ('txt', 'png'))
    files.write(txt, writing.string(values) + '\n')
    images.save_png(png, picture(values, PAGE, prompt_steps), provenance)
    return [txt, png]
