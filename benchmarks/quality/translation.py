"""How near is what a pix2pix makes to what it should be? Rows of translation.jsonl.

python -m benchmarks.quality.translation RUN [--split=test] [--pairs=SET]
    [--sheet=OUT.png]

Of held-out pairs, mean PSNR in dB and SSIM to the second picture, and Fréchet distances
in two spaces to all of them: of what the run makes, of the first picture itself, of the
mean of all second pictures of the training split, and of the second picture of that
training pair whose first is nearest (least squares). A run without pairs, as a cut, is
scored by --pairs, which it did not see as such.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import gan_vae as gv
from benchmarks.rows import report
from gan_vae import config as config_lib
from gan_vae import data, images
from gan_vae.art import network, sheets
from gan_vae.evaluation.pairs import psnr, ssim
from gan_vae.runs import opened

MOST = 60.0  # dB, of equal pictures
DISTANCES, SHOWN = 'fd_random,fd_vgg_hed', 10


def made(run, x: np.ndarray) -> np.ndarray:
    """uint8 [n, S, S, C] of pictures uint8 [n, S, S, C]."""
    function, weights = run.method.translation, run.weights
    pictures = [
        network.translated(function, weights, images.from_uint8(one)) for one in x
    ]
    return images.to_uint8(np.stack(pictures))


def nearest(x: np.ndarray, of: np.ndarray) -> np.ndarray:
    """For each of x [n, ...] the row of `of` [m, ...] that is nearest."""
    a, b = (z.reshape(len(z), -1).astype(np.float32) for z in (x, of))
    far = (b**2).sum(1) - 2 * a @ b.T
    return far.argmin(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('run', metavar='RUN')
    parser.add_argument('--split', default='test')
    parser.add_argument('--pairs', default='', help='a set of pairs, of other data')
    parser.add_argument('--sheet', default='', help='a picture to write')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    run = opened.load(flags.run)
    settings = config_lib.as_settings(run.config, 'data')
    if flags.pairs:
        settings = replace(settings, name=flags.pairs)
    train, held = (
        np.split(np.asarray(data.examples(settings, split).images), 2, -1)
        for split in (settings.split, flags.split)
    )
    x, y = held
    mean = np.round(train[1].mean(0)).astype(np.uint8)
    ways = {
        'made': made(run, x),
        'input': x,
        'mean': np.broadcast_to(mean, y.shape),
        'nearest': train[1][nearest(x, train[0])],
    }
    row = {
        'case': f'{settings.name}, {len(y)} pairs of {flags.split}',
        'run': f'{run.config.name}, step {run.record["step"]}',
        'method': run.config.method.name,
    }
    for way, pictures in ways.items():
        cards = gv.measure(np.ascontiguousarray(pictures), y, DISTANCES)
        row[way] = {
            'psnr': round(float(np.minimum(psnr(pictures, y), MOST).mean()), 2),
            'ssim': round(float(ssim(pictures, y).mean()), 3),
        } | {name: round(card.value, 3) for name, card in cards.items()}
    report('translation', row, flags.dry)
    if flags.sheet:
        rows = np.linspace(0, len(y) - 1, SHOWN).astype(int)
        cells = [*x[rows], *ways['made'][rows], *y[rows], *ways['nearest'][rows]]
        names = ['given', 'made', 'wanted', 'nearest pair']
        picture = sheets.labelled(cells, SHOWN, rows=names)
        images.save_png(Path(flags.sheet), picture)


if __name__ == '__main__':
    main()
