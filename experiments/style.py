"""What does each way of `style` take from a style, and what does it leave of a content?

pip install -e '.[oracle,perceptual]' && python -m gan_vae.data.prepare hed
GAN_VAE_TEST_DATA=FOLDER python experiments/style.py OUT.png [--size=160] [--seed=0]
    [--runs=FOLDER]

Three photographs of scikit-image (astronaut: NASA; chelsea, coffee: CC0) in styles:
FOLDER/pictures/mondrian_cropped.jpg and woman_in_peasant_dress_cropped.jpg (paintings
out of copyright) and scikit-image's ihc (no known restrictions), by every method at its
default. `distance`: patch sliced Wasserstein to the style in grey levels, before and
after; `structure`: SSIM of luma to the content; `cpu_seconds`: of one process with its
compilation at a shape's first use, and of fast without its training: a run for each
style in --runs, trained here (CIFAR-10 at 64 pixels) where it is not there.
"""

import argparse
import os
import subprocess
import sys
import time
from argparse import Namespace
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from speed import ROOT, append

from gan_vae import images
from gan_vae.art import tools
from gan_vae.art.making import opened, thing
from gan_vae.art.style import score
from gan_vae.art.tools import styling
from gan_vae.data.pictures import within
from gan_vae.errors import UserError

CONTENTS = ('astronaut', 'chelsea', 'coffee')
STYLES = ('mondrian_cropped.jpg', 'woman_in_peasant_dress_cropped.jpg', 'ihc.png')
WAYS = {
    'colour': {},
    'linear': {},
    'patch': {},
    'neighbour': {},
    'gatys, vgg_hed': {'features': 'vgg_hed'},
    'gatys, random': {'features': 'random'},
    'fast': {},
}


def place(name: str) -> Path:
    """Of a picture: among those of scikit-image, or of the tests' data."""
    ours = Path(os.environ['GAN_VAE_TEST_DATA']) / 'pictures' / name
    return ours if ours.exists() else Path(skimage.data.__file__).parent / name


@cache
def trained(runs: str, style: str, seed: int) -> str:
    """The folder of the run that knows one style; the same command, if it ended."""
    folder = str(Path(runs) / Path(style).stem)
    words = {'method.style': str(place(style)), 'data.name': 'cifar10'}
    words |= {'data.image_size': 64, 'train.seed': seed}
    flags = [f'--config.{name}={value}' for name, value in words.items()]
    config = f'--config={ROOT}/configs/fast_style_emoji.py:small'
    command = [sys.executable, ROOT / 'launch.py', config, f'--workdir={folder}']
    subprocess.run(command + flags, check=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out')
    parser.add_argument('--size', type=int, default=160)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--runs', default='runs/style')
    given = parser.parse_args()
    if 'GAN_VAE_TEST_DATA' not in os.environ:
        sys.exit(__doc__)
    bands, rows = [], []
    for content in CONTENTS:
        for name in STYLES:
            things = [thing(str(place(n))) for n in (f'{content}.png', name)]
            band = [np.asarray(Image.open(t.word).convert('RGB')) for t in things]
            for way, more in WAYS.items():
                flags = {n: f.default for n, f in styling.TOOLS['style'].flags.items()}
                flags |= {'seed': given.seed, 'size': given.size}
                flags |= {'method': way.split(',')[0]} | more
                tool, run, words = styling.TOOLS['style'], None, things
                if way == 'fast':
                    folder = trained(given.runs, name, given.seed)
                    flags |= {'workdir': folder, 'step': None}
                    run = opened('style', tool, Namespace(**flags))
                    words = things[:1]
                asked = tools.Asked(
                    'style', run, words, Namespace(**flags), lambda of, what: of
                )
                start = time.process_time()
                made = styling.make(asked)
                row = {'case': f'{content} in {Path(name).stem}', 'method': way}
                row |= made.found | {'cpu_seconds': time.process_time() - start}
                if run:  # what learned a style is not given it
                    look = np.asarray(within(Image.fromarray(band[1]), given.size))
                    row['distance_before'] = rows[-1]['distance_before']
                    image = made.pictures[0].image
                    row['distance'] = score.distance(image, [look], [1.0])
                row |= {'size': given.size, 'seeds': [given.seed]}
                rows.append(row)
                append('style', dict(row))
                print(row, flush=True)
                band.append(made.pictures[0].image)
            bands.append(styling.style.row(band))
            width = max(b.shape[1] for b in bands)
            page = [
                np.pad(
                    b, ((0, 4), (0, width - b.shape[1]), (0, 0)), constant_values=235
                )
                for b in bands
            ]
            images.save_png(given.out, np.concatenate(page))
    print('| method | distance before | after | structure | CPU seconds |')
    print('| --- | --- | --- | --- | --- |')
    for way in WAYS:
        of_way = [row for row in rows if row['method'] == way]
        names = ('distance_before', 'distance', 'structure', 'cpu_seconds')
        means = [np.mean([row[n] for row in of_way]) for n in names]
        print(f'| {way} | ' + ' | '.join(f'{m:.2f}' for m in means) + ' |')


if __name__ == '__main__':
    try:
        main()
    except UserError as error:
        sys.exit(f'gan_vae: {error}')
