"""Does a trained network restore better than filters?

python -m benchmarks.quality.trained --photographs=FOLDER [--run=pretrained:restore]
    [--size=128] [--prior=2] [--sheet=OUT.png]

Three squares of `size` pixels of each picture of a folder (the centre, and two corners)
and 24 held-out drawings of four styles of art, which the network never saw. White noise
is clipped and rounded; JPEG is Pillow's; a blur is of 1.5 pixels; small pictures are
means of blocks; what is missing is a square of 3/8 of the side, eight strokes of 3
pixels, or half of the pixels; scratches are eight lines of one colour. Mean PSNR in dB:

  seen       of what is given: small ones are enlarged by cubic interpolation
  filter     gan_vae/art/filters.py, where there is one
  nlm, biharmonic     scikit-image's
  prior      the deep image prior, of the first `prior` squares; 0 leaves it out
  told, blind         the network, told of the damage and not

and the CPU seconds of the network for a megapixel. A row for each case and set in
results/trained.jsonl.
"""

import argparse
import io
import time
from pathlib import Path

import jax
import numpy as np
from PIL import Image, ImageDraw

from benchmarks.quality.untrained import masks
from benchmarks.rows import report
from gan_vae import config as config_lib
from gan_vae import data, images
from gan_vae.art import deep_prior, filters, making, network, sheets, tools
from gan_vae.art.degradations import WHOLE, Blurred, Hole, Small
from gan_vae.art.restoration import NOISE, UNIT
from gan_vae.data.pictures import opaque, open_picture
from gan_vae.evaluation.pairs import psnr
from gan_vae.objectives.damage import MOST_BLUR, MOST_NOISE, TOLD

DRAWINGS, SHOWN = 24, 3


def squares(folder: str, size: int) -> np.ndarray:
    """uint8 [3 n, size, size, 3]: the centre and two corners of each picture."""
    crops = []
    for file in sorted(f for f in Path(folder).iterdir() if f.is_file()):
        picture = np.asarray(opaque(open_picture(file), (255,) * 3))
        height, width, _ = picture.shape
        top, left = (height - size) // 2, (width - size) // 2
        for y, x in ((top, left), (top // 2, left // 2), (3 * top // 2, 3 * left // 2)):
            crops.append(picture[y : y + size, x : x + size])
    return np.stack(crops)


def drawings(size: int) -> np.ndarray:
    change = {'data.image_size': str(size)}
    settings = config_lib.load('configs/vae_art.py', change).data
    test = data.examples(settings, 'test').images
    return np.asarray(test[np.linspace(0, len(test) - 1, DRAWINGS).astype(int)])


def levels(x) -> np.ndarray:
    """float32 in [-1, 1], as a file holds it."""
    return np.asarray(images.from_uint8(images.to_uint8(np.asarray(x))), np.float32)


def cases(x: np.ndarray, number: int) -> dict[str, tuple]:
    """{case: (y, mask, told, degradation)} of a picture in [-1, 1]."""
    rng, size = np.random.default_rng(number), len(x)
    whole, damaged = np.ones((size, size, 1), np.float32), {}
    for sigma in (10, 25, 50):
        y = levels(x + rng.normal(0, sigma / UNIT, x.shape).astype(np.float32))
        damaged[f'denoise {sigma}'] = y, whole, {'noise': sigma / MOST_NOISE}, WHOLE
    for quality in (10, 30):
        file = io.BytesIO()
        Image.fromarray(images.to_uint8(x)).save(file, 'JPEG', quality=quality)
        y = np.asarray(images.from_uint8(np.asarray(Image.open(file))))
        damaged[f'JPEG {quality}'] = y, whole, {'jpeg': 1 - quality / 100}, WHOLE
    y = levels(Blurred(1.5).seen(x[None])[0])
    damaged['deblur 1.5'] = y, whole, {'blur': 1.5 / MOST_BLUR}, Blurred(1.5)
    for factor in (2, 4):
        small = levels(Small(factor).seen(x[None])[0])
        y = np.asarray(jax.image.resize(small, x.shape, 'cubic'))
        damaged[f'upscale {factor}x'] = (
            y,
            whole,
            {'small': 1 - 1 / factor},
            Small(factor),
        )
    for case, mask in masks(size).items():
        damaged[case] = x * mask, mask, {}, Hole()
    scratched = Image.fromarray(images.to_uint8(x))
    for ends in rng.integers(0, size, (8, 4)):
        ImageDraw.Draw(scratched).line([*map(int, ends)], fill=(240, 240, 230), width=2)
    y = np.asarray(images.from_uint8(np.asarray(scratched)))
    damaged['scratches'] = y, whole, {}, WHOLE
    return damaged


def plain(case: str, y, mask, how) -> dict[str, np.ndarray]:
    """What needs no training: {name: float [H, W, C] in [-1, 1]}."""
    from skimage import restoration

    unit, missing = (y + 1) / 2, mask[..., 0] == 0
    if isinstance(how, Hole):
        filled = restoration.inpaint_biharmonic(unit * mask, missing, channel_axis=-1)
        return {'filter': filters.filled(y, missing), 'biharmonic': 2 * filled - 1}
    if isinstance(how, Blurred):
        return {'filter': filters.deblurred(y, how.radius, 0.3 / UNIT)}
    if not case.startswith('denoise'):
        return {}
    sigma = float(case.split()[1])
    local = restoration.denoise_nl_means(
        unit, 5, 6, h=0.6 * sigma / 255, sigma=sigma / 255, channel_axis=-1
    )
    return {'filter': filters.denoised(y, sigma / UNIT), 'nlm': 2 * local - 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photographs', required=True, help='a folder')
    parser.add_argument('--run', default='pretrained:restore')
    parser.add_argument('--size', type=int, default=128)
    parser.add_argument('--prior', type=int, default=2, help='squares of the slow one')
    parser.add_argument('--sheet', default='', help='a picture to write')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    place = argparse.Namespace(workdir=flags.run, step=None)
    run = making.open_model('translate', tools.find('translate'), place)
    sets = {'photographs': squares(flags.photographs, flags.size)}
    sets['drawings'] = drawings(flags.size)
    cells: dict[str, list] = {}
    for name, pictures in sets.items():
        rows: dict[str, dict[str, list]] = {}
        spent = 0.0
        for number, picture in enumerate(pictures):
            x = np.asarray(images.from_uint8(picture))
            for case, (y, mask, told, how) in cases(x, number).items():
                ways = {'seen': y} | plain(case, y, mask, how)
                for way, numbers in (('told', {'told': 1.0} | told), ('blind', {})):
                    if way == 'told' and not told:
                        continue
                    row = np.array([numbers.get(n, 0.0) for n in TOLD], np.float32)
                    begin = time.process_time()
                    made = network.restored(
                        run.method.restoration, run.weights, y, mask, row
                    )
                    spent = time.process_time() - begin
                    hole = isinstance(how, Hole)
                    ways[way] = np.where(mask > 0, y, made) if hole else made
                if number < flags.prior and not case.startswith(('JPEG', 'scratch')):
                    seen = y
                    if isinstance(how, Small):
                        seen = np.asarray(how.seen(y[None])[0])
                    sigma = told.get('noise', NOISE / MOST_NOISE) * MOST_NOISE
                    hidden = mask if isinstance(how, Hole) else None
                    best = deep_prior.restore(seen, x.shape, how, hidden, sigma / UNIT)
                    ways['prior'] = best.picture
                for way, made in ways.items():
                    found = images.to_uint8(np.asarray(made))
                    near = float(psnr(picture[None], found[None])[0])
                    rows.setdefault(case, {}).setdefault(way, []).append(near)
                    if number % 8 == 0 and number < 8 * SHOWN:
                        cells.setdefault(f'{case}: {way}', []).append(found)
            print(f'{name}: {number + 1} of {len(pictures)}', flush=True)
        for case, ways in rows.items():
            few = ways['told' if 'told' in ways else 'blind'][: flags.prior]
            row = {
                'case': case,
                'of': f'{len(pictures)} {name} of {flags.size} pixels',
                'run': f'{run.about["config"]}, step {run.about["step"]}',
                **{way: round(float(np.mean(v)), 2) for way, v in ways.items()},
                'network_where_prior': round(float(np.mean(few)), 2) if few else None,
                'seconds_a_megapixel': round(spent / flags.size**2 * 1e6, 2),
            }
            report('trained', row, flags.dry)
    if flags.sheet:
        order = [c for c in cells if c.endswith(('seen', 'told', 'blind'))]
        shown = [image for cell in order for image in cells[cell]]
        picture = sheets.labelled(shown, 2 * SHOWN, rows=order)
        images.save_png(Path(flags.sheet), picture)


if __name__ == '__main__':
    main()
