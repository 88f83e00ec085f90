"""Reconstructions and samples of runs in one picture, a band of each.

python experiments/vae_page.py OUT.png RUN...

Left, held-out images, each beside its reconstruction; right, samples of the fixed seed:
the first four rows of what each run folder holds from its last step.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

ROWS, COLUMNS, PAD, SCALE = 4, 8, 2, 2


def band(run: Path) -> Image.Image:
    """[4 rows of 4 pairs | 4 rows of 8 samples], its name above."""
    grids = [run / 'reconstructions.png', sorted((run / 'samples').glob('*.png'))[-1]]
    parts = [Image.open(path).convert('RGB') for path in grids]
    cell = (parts[0].width - PAD) // COLUMNS
    size = COLUMNS * cell + PAD, ROWS * cell + PAD
    top, out = 14, Image.new('RGB', (2 * size[0] + 10, size[1] + 14), 'white')
    for number, part in enumerate(parts):
        out.paste(part.crop((0, 0, *size)), (number * (size[0] + 10), top))
    ImageDraw.Draw(out).text((2, 1), run.name, fill='black')
    return out


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    bands = [band(Path(run)) for run in sys.argv[2:]]
    width, height = max(b.width for b in bands), sum(b.height for b in bands)
    page, y = Image.new('RGB', (width, height), 'white'), 0
    for one in bands:
        page.paste(one, (0, y))
        y += one.height
    page = page.resize((SCALE * width, SCALE * height), Image.Resampling.NEAREST)
    page.quantize(256).save(sys.argv[1], optimize=True)


if __name__ == '__main__':
    main()
