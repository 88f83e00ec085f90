"""Can a class-conditional run's pictures be named, and are they free of a grid?

python -m benchmarks.quality.drawn RUN... [--num=1000] [--sheet=OUT.png]

named: the share of samples that a classifier trained on real pictures (the extractor
`classifier`) gives the class that was asked for, and the least of any class; beside
them that of held-out pictures. A generator that draws one good picture a class has 1,
so it is read beside precision and recall.

bands: the power of samples over that of held-out pictures, in the third and the last
quarter of the spatial frequencies up to Nyquist's, by the larger of the two axes'. A
checkerboard has more than real pictures there, blur less.

--sheet: the first samples of the last run, a row for each class, in cells of 64 pixels.
"""

import argparse
from pathlib import Path

import numpy as np

import gan_vae as gv
from benchmarks.rows import report
from gan_vae import images

CELL = 64  # pixels of a picture on a sheet, at least


def power(pictures: np.ndarray) -> np.ndarray:
    """Mean power of pictures [n, S, S, C] in four bands of frequencies [4]."""
    x = pictures.astype(np.float64) / 127.5 - 1
    spectrum = np.mean(np.abs(np.fft.fft2(x, axes=(1, 2))) ** 2, axis=(0, 3))
    frequency = np.abs(np.fft.fftfreq(pictures.shape[1])) * 2
    larger = np.maximum(frequency[:, None], frequency[None])
    band = np.minimum((4 * larger).astype(int), 3)
    return np.bincount(band.ravel(), spectrum.ravel()) / np.bincount(band.ravel())


def measure(run: str, num: int) -> dict:
    """The row of a run."""
    from gan_vae import data
    from gan_vae.extractors import classifier

    model = gv.open(run)
    settings = model.config.data
    known = data.examples(settings, settings.split)
    held_out = data.examples(settings, settings.eval_split)
    held_out = held_out.take(np.arange(min(num, held_out.size)))
    labels = np.arange(num) % len(model.classes)
    samples = model.sample(num, seed=0)
    features = classifier.load(known)

    def right(pictures, labels):
        right = classifier.predict(features.params, pictures) == labels
        return right.mean(), min(right[labels == k].mean() for k in np.unique(labels))

    named, least = right(samples, labels)
    ratio = power(samples) / power(held_out.images)
    return {
        'case': model.config.data.name,
        'run': f'{model.config.name}, step {model.record["step"]}',
        'named': round(float(named), 4),
        'named_least': round(float(least), 4),
        'named_held_out': round(float(right(held_out.images, held_out.labels)[0]), 4),
        'bands': [round(float(r), 3) for r in ratio[2:]],
        'num': num,
        'seed': 0,
    }


def sheet(run: str, file: str, columns: int):
    """Writes a picture of so many samples of each class."""
    model = gv.open(run)
    count = columns * len(model.classes)
    rows = model.sample(count, seed=0, classes=list(np.arange(count) // columns))
    zoom = max(1, CELL // model.config.data.image_size)
    images.save_png(Path(file), images.grid(rows, columns), zoom=zoom)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN')
    parser.add_argument('--num', type=int, default=1000)
    parser.add_argument('--sheet')
    parser.add_argument('--columns', type=int, default=16, help='of the sheet')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for run in flags.runs:
        report('drawn', measure(run, flags.num), flags.dry)
    if flags.sheet:
        sheet(flags.runs[-1], flags.sheet, flags.columns)


if __name__ == '__main__':
    main()
