"""Sheets of pictures with words beside them: numbers, strengths, names."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gan_vae.data import pictures as pictures_lib

PAPER, INK = 235, (40, 40, 40)
SMALLEST = 64  # pixels of a side of what is shown
TEXT = 12  # pixels
SIDE = 256  # of a picture before and after a change


def pil(picture: np.ndarray) -> Image.Image:
    """Pillow's picture of uint8 [h, w, C], C 1, 3 or 4."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def numbered(pictures: list[np.ndarray], columns: int | None = None) -> np.ndarray:
    """uint8 [H, W, 3] of pictures of one size, their numbers below them."""
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    return labelled(pictures, columns, [f'{n}' for n in range(len(pictures))])


def labelled(
    pictures: list[np.ndarray],
    columns: int,
    below: list[str] | None = None,
    rows: list[str] | None = None,
    heads: list[str] | None = None,
    smallest: int = SMALLEST,
) -> np.ndarray:
    """uint8 [H, W, 3] of pictures uint8 [h, w, C] of one size, row by row.

    below: words under each; rows: left of each row; heads: above each column;
    smallest: pixels of a side, by which small pictures are enlarged.
    """
    height, width = pictures[0].shape[:2]
    zoom = -(-smallest // min(height, width))
    height, width = zoom * height, zoom * width
    font = ImageFont.load_default(TEXT)

    def longest(words: list[str] | None) -> int:
        return max((int(font.getlength(word)) + 6 for word in words or ()), default=0)

    left, under = longest(rows), (TEXT + 4) * bool(below)
    cell = max(width, longest(below), longest(heads))
    top, gap = (TEXT + 6) * bool(heads), 4
    count = -(-len(pictures) // columns)
    size = left + columns * (cell + gap) + gap, top + count * (height + under + gap)
    sheet = Image.new('RGB', (size[0], size[1] + gap), (PAPER,) * 3)
    ink = ImageDraw.Draw(sheet)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        x = left + gap + column * (cell + gap) + (cell - width) // 2
        y = top + gap + row * (height + under + gap)
        image = pil(picture).convert('RGB')
        sheet.paste(image.resize((width, height), Image.Resampling.NEAREST), (x, y))
        if below:
            place = x + width / 2, y + height + 1
            ink.text(place, below[number], INK, font, anchor='ma')
        if rows and column == 0:
            ink.text((left, y + height / 2), rows[row], INK, font, anchor='rm')
        if heads and row == 0:
            ink.text((x + width / 2, top), heads[column], INK, font, anchor='ms')
    return np.asarray(sheet)


def alike(pictures: list[np.ndarray]) -> np.ndarray:
    """uint8 [N, H, W, C] of pictures [h, w, c]: smaller ones in the middle of paper of
    the largest size, and all in colour if one is."""
    if len({p.shape for p in pictures}) == 1:
        return np.stack(pictures)
    if len({p.shape[-1] for p in pictures}) > 1:
        pictures = [np.asarray(pil(p).convert('RGB')) for p in pictures]
    height, width, channels = np.max([p.shape for p in pictures], 0)
    papers = np.full((len(pictures), height, width, channels), PAPER, np.uint8)
    for paper, picture in zip(papers, pictures, strict=True):
        h, w = picture.shape[:2]
        y, x = (height - h) // 2, (width - w) // 2
        paper[y : y + h, x : x + w] = picture
    return papers


def within(picture: np.ndarray, longest: int) -> np.ndarray:
    """uint8 [h, w, C] of a picture [H, W, C], smaller if a side has more pixels."""
    return np.atleast_3d(np.asarray(pictures_lib.within(pil(picture), longest)))


def before_and_after(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """uint8 [H, W, 3]: a row for each pair of pictures [h, w, C] of any sizes."""
    rows = []
    for pair in pairs:
        cell = Image.new('RGB', (2 * (SIDE + 4) + 4, SIDE + 8), (PAPER,) * 3)
        for column, picture in enumerate(pair):
            small = within(picture, SIDE)
            zoom = max(1, min(4, SIDE // max(small.shape[:2])))
            small = small.repeat(zoom, 0).repeat(zoom, 1)
            image = pil(small).convert('RGBA')
            left = 4 + column * (SIDE + 4) + (SIDE - image.width) // 2
            cell.paste(image, (left, 4 + (SIDE - image.height) // 2), image)
        rows.append(np.asarray(cell))
    return np.concatenate(rows)
