"""Without a model: does the deep image prior restore better than a filter?

python -m benchmarks.quality.untrained --photographs=FOLDER [--size=256]
    [--sigmas=50,25,10] [--cases=denoise,inpaint] [--ways=filter,prior] [--num=5]

The first `num` pictures of the folder by name, the centre square of each resized to
`size`. Noise is white, clipped and rounded as in a file. What is missing: a square of
3/8 of the side in the centre; eight strokes of 3 pixels; half of the pixels. Mean PSNR,
SSIM and CPU seconds (compilation included) of the picture as it is seen, of the deep
image prior as `art` runs it, and of gan_vae/art/filters.py. Adds a row for each case to
results/untrained.jsonl.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.rows import append
from gan_vae import images
from gan_vae.art import deep_prior, filters
from gan_vae.art.degradations import WHOLE, Hole
from gan_vae.art.restoration import NOISE, UNIT
from gan_vae.data.pictures import Fit, fit, open_picture
from gan_vae.evaluation.pairs import psnr, ssim


def noisy(x: np.ndarray, sigma: float, number: int) -> np.ndarray:
    noise = np.random.default_rng(number).normal(0, sigma / UNIT, x.shape)
    return np.asarray(images.from_uint8(images.to_uint8(x + np.float32(noise))))


def masks(size: int) -> dict[str, np.ndarray]:
    """{case: float32 [size, size, 1]}, 1 where a pixel is seen."""
    rng = np.random.default_rng(0)
    centre = np.ones((size, size, 1), np.float32)
    a, b = size * 5 // 16, size * 11 // 16
    centre[a:b, a:b] = 0
    strokes = Image.new('L', (size, size), 1)
    for ends in rng.integers(0, size, (8, 4)):
        ImageDraw.Draw(strokes).line([*map(int, ends)], fill=0, width=3)
    half = (rng.random((size, size, 1)) < 0.5).astype(np.float32)
    return {
        'inpaint the centre': centre,
        'inpaint strokes': np.asarray(strokes, np.float32)[..., None],
        'inpaint half of the pixels': half,
    }


def timed(make) -> tuple[np.ndarray, float]:
    begin = time.process_time()
    return images.to_uint8(np.asarray(make())), time.process_time() - begin


def denoised(x: np.ndarray, sigma: float, number: int):
    """(what is seen, {way: what makes it}) of a picture in [-1, 1]."""
    y = noisy(x, sigma, number)

    def prior() -> np.ndarray:
        return deep_prior.restore(y, y.shape, WHOLE, None, sigma / UNIT).picture

    return y, {'filter': lambda: filters.denoised(y, sigma / UNIT), 'prior': prior}


def inpainted(x: np.ndarray, mask: np.ndarray):
    seen, how = x * mask, Hole()

    def prior() -> np.ndarray:
        best = deep_prior.restore(seen, x.shape, how, mask, NOISE / UNIT)
        return how.consistent(best.picture[None], seen, mask)[0]

    missing = mask[..., 0] == 0
    return seen, {'filter': lambda: filters.filled(seen, missing), 'prior': prior}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photographs', required=True, help='a folder')
    parser.add_argument('--size', type=int, default=256)
    parser.add_argument('--sigmas', default='50,25,10')
    parser.add_argument('--cases', default='denoise,inpaint')
    parser.add_argument('--ways', default='filter,prior')
    parser.add_argument('--num', type=int, default=5, help='of the pictures')
    flags = parser.parse_args()
    files = sorted(f for f in Path(flags.photographs).iterdir() if f.is_file())
    files = files[: flags.num]
    uint8 = [fit(open_picture(f), Fit(flags.size, 3)) for f in files]
    pictures = [np.asarray(images.from_uint8(picture)) for picture in uint8]
    cases = {}
    if 'denoise' in flags.cases:
        for sigma in map(float, flags.sigmas.split(',')):
            cases[f'denoise {sigma:g}'] = lambda x, n, s=sigma: denoised(x, s, n)
    if 'inpaint' in flags.cases:
        for case, mask in masks(flags.size).items():
            cases[case] = lambda x, n, mask=mask: inpainted(x, mask)
    for case, run in cases.items():
        measured: dict[str, list] = {}
        for number, (clean, x) in enumerate(zip(uint8, pictures, strict=True)):
            seen, ways = run(x, number)
            restored = {w: timed(ways[w]) for w in flags.ways.split(',')}
            restored['seen'] = images.to_uint8(seen), 0.0
            for way, (image, seconds) in restored.items():
                pair = clean[None], image[None]
                row = float(psnr(*pair)[0]), float(ssim(*pair)[0]), seconds
                measured.setdefault(way, []).append(row)
                words = [f'{value:.4g}' for value in row]
                print(case, files[number].name, way, *words, flush=True)
        row = {'case': case, 'size': flags.size, 'pictures': [f.name for f in files]}
        for way, rows in measured.items():
            values = map(float, np.mean(rows, 0))
            row[way] = dict(zip(('psnr', 'ssim', 'seconds'), values, strict=True))
            row[way]['psnr_each'] = [r[0] for r in rows]
        append('untrained', row)
        print(row, flush=True)


if __name__ == '__main__':
    main()
