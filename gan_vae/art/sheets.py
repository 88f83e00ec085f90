"""Sheets of pictures with words beside them: numbers, strengths, names."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER, INK = 235, (40, 40, 40)
SMALLEST = 64  # pixels of a side of what is shown
TEXT = 12  # pixels


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
    left = max((font.getlength(word) for word in rows), default=0) if rows else 0
    left, under = int(left) + 6 * bool(rows), (TEXT + 4) * bool(below)
    top, gap = (TEXT + 6) * bool(heads), 4
    count = -(-len(pictures) // columns)
    size = left + columns * (width + gap) + gap, top + count * (height + under + gap)
    sheet = Image.new('RGB', (size[0], size[1] + gap), (PAPER,) * 3)
    ink = ImageDraw.Draw(sheet)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        x = left + gap + column * (width + gap)
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
