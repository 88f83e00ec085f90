"""Sheets of pictures with words beside them: numbers, strengths, names."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK = 235, (40, 40, 40)
SMALLEST = 64  # pixels of a side of what is shown
TEXT = 12  # pixels
SIDE = 256  # of a picture before and after a change


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
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        image = image.convert('RGB').resize((width, height), Image.Resampling.NEAREST)
        sheet.paste(image, (x, y))
        if below:
            place = x + width / 2, y + height + 1
            ink.text(place, below[number], INK, font, anchor='ma')
        if rows and column == 0:
            ink.text((left, y + height / 2), rows[row], INK, font, anchor='rm')
        if heads and row == 0:
            ink.text((x + width / 2, top), heads[column], INK, font, anchor='ms')
    return np.asarray(sheet)


def within(picture: np.ndarray, longest: int) -> np.ndarray:
    """uint8 [h, w, C] of a picture [H, W, C], smaller if a side has more pixels."""
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    return small.reshape(*small.shape[:2], -1)


def before_and_after(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """uint8 [H, W, 3]: a row for each pair of pictures [h, w, C] of any sizes."""
    rows = []
    for pair in pairs:
        cell = Image.new('RGB', (2 * (SIDE + 4) + 4, SIDE + 8), (PAPER,) * 3)
        for column, picture in enumerate(pair):
            small = within(picture, SIDE)
            zoom = max(1, min(4, SIDE // max(small.shape[:2])))
            small = small.repeat(zoom, 0).repeat(zoom, 1)
            image = Image.fromarray(small[..., 0] if small.shape[-1] == 1 else small)
            image = image.convert('RGBA')
            left = 4 + column * (SIDE + 4) + (SIDE - image.width) // 2
            cell.paste(image, (left, 4 + (SIDE - image.height) // 2), image)
        rows.append(np.asarray(cell))
    return np.concatenate(rows)
