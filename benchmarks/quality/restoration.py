"""Does a prior restore pictures better than a filter that knows nothing?

python -m benchmarks.quality.restoration [--num=20]
    [--runs=pretrained:emoji_gan,pretrained:emoji_vae] [--restored=8]
    [--out=restoration.png]
python -m benchmarks.quality.restoration --photographs=FOLDER [--size=128] [--out=...]

`num` held-out pictures of the runs' own test split. Projection: PSNR and the distance
of random features, beside the nearest of 1,000 samples. Inpainting of the centre and of
random pixels, 2x and 4x upscaling, noise of 25/255 as a file has it: PSNR of the tools'
best with each run and with none (the deep image prior), beside scikit-image's
biharmonic inpainting, bicubic interpolation (Pillow), non-local means, total variation
and the filters of gan_vae/art/filters.py (plate, cosine transform). Of photographs,
centre crops of `size`, no run. Adds rows to results/restoration.jsonl; a sheet of the
first six.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.rows import append
from gan_vae import data, extractors, images
from gan_vae.art import deep_prior, inversion, latents, making, sheets, tools
from gan_vae.art import filters as own
from gan_vae.art.degradations import WHOLE, Hole, Small
from gan_vae.data.pictures import Fit, fit, open_picture
from gan_vae.evaluation import feature_distance
from gan_vae.evaluation.pairs import psnr
from gan_vae.methods import sampling

SAMPLES, STARTS, SHOWN = 1000, 8, 6


def filters(
    name: str, seen: np.ndarray, hole: np.ndarray, size: int
) -> dict[str, np.ndarray]:
    """What needs no model, of one picture: {name: uint8 [H, W, 3]}."""
    from skimage import restoration

    picture = images.to_uint8(seen)
    if name.startswith('inpaint'):
        filled = restoration.inpaint_biharmonic(
            picture / 255, hole[..., 0] == 0, channel_axis=-1
        )
        plate = own.filled(seen, hole[..., 0] == 0)
        return {'biharmonic': filled, 'plate': (plate + 1) / 2}
    if name.startswith('upscale'):
        small = Image.fromarray(picture)
        bicubic = np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))
        return {'bicubic': bicubic / 255}
    noise = 25 / 255
    noisy = (seen + 1) / 2
    local = restoration.denoise_nl_means(
        noisy, 5, 6, h=0.6 * noise, sigma=noise, fast_mode=False, channel_axis=-1
    )
    total = restoration.denoise_tv_chambolle(noisy, weight=0.1, channel_axis=-1)
    cosine = (own.denoised(seen, 2 * noise) + 1) / 2
    return {
        'non-local means': local,
        'total variation': total,
        'cosine transform': cosine,
    }


def tasks(x: np.ndarray):
    """{name: (degradation, seen, mask, noise is in it)} of a picture in [-1, 1]."""
    rng = np.random.default_rng(0)
    size = len(x)
    a, b = round(size * 10 / 32), round(size * 22 / 32)
    centre = np.ones((size, size, 1), np.float32)
    centre[a:b, a:b] = 0
    random = (rng.random((size, size, 1)) < 0.5).astype(np.float32)
    noisy = x + rng.normal(0, 50 / 255, x.shape).astype(np.float32)
    noisy = images.from_uint8(images.to_uint8(noisy))
    found = {
        'inpaint the centre': (Hole(), x * centre, centre),
        'inpaint half of the pixels': (Hole(), x * random, random),
        'denoise 25': (WHOLE, noisy, None),
    }
    for factor in (2, 4):
        how = Small(factor)
        seen = np.asarray(how.seen(x[None]))[0]
        found[f'upscale {factor}x'] = how, seen, None
    return found


def restored(run, how, seen, mask) -> np.ndarray:
    starts = sampling.latents(run.method, 0, STARTS)
    decode = run.method.latents.decode
    best = inversion.invert(decode, run.weights, seen, starts, how, mask)
    x = decode(run.weights, best.z[:1], None)
    return images.to_uint8(how.consistent(x, seen, mask))[0]


def untrained(how, seen, mask, noise, shape) -> np.ndarray:
    best = deep_prior.restore(seen, shape, how, mask, noise * 2 / 255)
    x = best.picture[None]
    return images.to_uint8(how.consistent(x, seen, mask) if noise <= 2 else x)[0]


def project(run, pictures) -> tuple[np.ndarray, dict]:
    """The projections uint8, and the figures."""
    method, weights = run.method, run.weights
    projected, begin = [], time.monotonic()
    for picture in pictures:
        starts = sampling.latents(method, 0, STARTS)
        if method.latents.encode is not None:
            starts[0] = latents.encode(run, picture[None])[0]
        x = np.asarray(images.from_uint8(picture))
        best = inversion.invert(method.latents.decode, weights, x, starts)
        projected.append(sampling.decode(method, weights, best.z[:1])[0])
    seconds = (time.monotonic() - begin) / len(pictures)
    drawn = sampling.decode(method, weights, sampling.latents(method, 1, SAMPLES))
    apart = [((drawn.astype(float) - p) ** 2).mean((1, 2, 3)) for p in pictures]
    nearest = drawn[np.argmin(apart, 1)]
    random = extractors.load('random')
    found = {'seconds': seconds}
    for name, of in (('projected', np.stack(projected)), ('nearest sample', nearest)):
        found[f'{name}, dB'] = float(psnr(pictures, of).mean())
        distance = feature_distance.distance(random, pictures, of)
        found[f'{name}, random features'] = float(np.mean(distance))
    if method.latents.encode is not None:
        coded = sampling.decode(method, weights, latents.encode(run, pictures))
        found['encoder alone, dB'] = float(psnr(pictures, coded).mean())
    return np.stack(projected), found


def compare(pictures, runs: dict, rows: dict, cells: dict):
    """Adds {task: {way: [PSNR]}} and {task: way: [picture]} of uint8 [n, S, S, 3]."""
    for number, picture in enumerate(pictures):
        x = np.asarray(images.from_uint8(picture))
        for task, (how, seen, mask) in tasks(x).items():
            ways = {name: restored(run, how, seen, mask) for name, run in runs.items()}
            noise, begin = (
                (25 if mask is None and how == WHOLE else 2),
                time.time(),
            )
            ways['deep image prior'] = untrained(how, seen, mask, noise, x.shape)
            seconds = time.time() - begin
            plain = filters(task, seen, mask, len(x))
            ways |= {k: images.to_uint8(2 * v - 1) for k, v in plain.items()}
            for way, image in ways.items():
                near = psnr(picture[None], image[None])[0]
                rows.setdefault(task, {}).setdefault(way, []).append(near)
                cells.setdefault(f'{task}: {way}', []).append(image)
            rows[task].setdefault('deep image prior, seconds', []).append(seconds)
        print(f'{number + 1} of {len(pictures)}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--runs', default='pretrained:emoji_gan,pretrained:emoji_vae')
    parser.add_argument('--num', type=int, default=20, help='of projection')
    parser.add_argument('--restored', type=int, default=8, help='of the others')
    parser.add_argument('--photographs', default='', help='a folder, in place of runs')
    parser.add_argument('--size', type=int, default=128, help='of photographs')
    parser.add_argument('--out', default='restoration.png')
    flags = parser.parse_args()
    runs, rows, cells = {}, {}, {}
    if flags.photographs:
        files = sorted(f for f in Path(flags.photographs).iterdir() if f.is_file())
        held = np.stack([fit(open_picture(f), Fit(flags.size, 3)) for f in files])
        what = f'photographs of {flags.size} pixels'
    else:
        what = flags.runs
        for name in flags.runs.split(','):
            place = argparse.Namespace(workdir=name, step=None)
            runs[name] = making.open_model('restoration', tools.find('sample'), place)
    for name, run in runs.items():
        held = data.examples(run.config.data, 'test').images[: flags.num]
        projected, found = project(run, held)
        print(f'{name}: {found}', flush=True)
        append(
            'restoration', {'case': f'{name}: project', 'pictures': len(held), **found}
        )
        cells['held out'], cells[f'{name}: projected'] = held, projected
    cells.setdefault('held out', held)
    held = held[: flags.restored]
    compare(held, runs, rows, cells)
    for task, ways in rows.items():
        mean = {way: float(np.mean(v)) for way, v in ways.items()}
        print(task, ', '.join(f'{way} {v:.1f}' for way, v in mean.items()))
        append('restoration', {'case': task, 'of': what, 'pictures': len(held), **mean})
    order = sorted(cells, key=lambda c: (c != 'held out', 'project' not in c, c))
    shown = [image for cell in order for image in cells[cell][:SHOWN]]
    sheet = sheets.labelled(shown, min(SHOWN, len(held)), rows=order)
    images.save_png(flags.out, sheet)


if __name__ == '__main__':
    main()
