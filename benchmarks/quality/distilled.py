"""What does a smaller decoder keep of the one that it learned of?

python -m benchmarks.quality.distilled --run=runs/distill [--teacher=pretrained:art_vae]
    [--num=1000] [--sheet=OUT.png]

Of `num` new latents, each class in turn: mean PSNR of the run's pictures to the
teacher's, in dB, and beside it that of the mean picture of the class. Of the samples of
both against as many held-out pictures (split `test` of the teacher's data): swd and
precision and recall of three neighbours in the space `random`. Parameters of what
draws, and milliseconds to draw 1 picture and 64, the median of 20, compiled before. A
row in results/distilled.jsonl. The sheet has the teacher's pictures above the run's.
"""

import argparse
import statistics
import time
from pathlib import Path

import jax
import numpy as np

import gan_vae as gv
from benchmarks.rows import report
from gan_vae import data, images
from gan_vae.art import sheets
from gan_vae.evaluation.pairs import psnr
from gan_vae.runs import opened

METRICS, SHOWN = 'swd,pr_random', 12


def decoder(name: str):
    """(the model, z, class -> images, its numbers that draw)."""
    model = opened.load(name)
    weights, decode = model.method.settle(model.weights), model.method.latents.decode
    draws = {
        n: w
        for n, w in weights.averaged.items()
        if n in ('decoder', 'flow', 'generator')
    }
    numbers = sum(x.size for x in jax.tree.leaves(draws))
    return model, jax.jit(lambda z, *label: decode(weights, z, *label)), numbers


def milliseconds(draw, z, label) -> float:
    """The median of 20."""
    times = []
    for _ in range(21):
        begin = time.perf_counter()
        jax.block_until_ready(draw(z, *label))
        times.append(1000 * (time.perf_counter() - begin))
    return round(statistics.median(times[1:]), 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--run', required=True, help='a run of configs/distill.py')
    parser.add_argument('--teacher', default='pretrained:art_vae')
    parser.add_argument('--num', type=int, default=1000)
    parser.add_argument('--sheet', default='', help='a picture to write')
    parser.add_argument('--dry', action='store_true', help='append no row')
    flags = parser.parse_args()
    teacher, student = decoder(flags.teacher), decoder(flags.run)
    model = teacher[0]
    classes = model.method.classes
    z = model.method.latents.prior(jax.random.key(99), flags.num)
    label = np.arange(flags.num) % max(classes, 1)
    drawn = []
    for _, draw, _ in (teacher, student):
        parts = []
        for i in range(0, flags.num, 100):
            few = (label[i : i + 100],) if classes else ()
            parts.append(images.to_uint8(np.asarray(draw(z[i : i + 100], *few))))
        drawn.append(np.concatenate(parts))
    means = np.stack([drawn[0][label == k].mean(0) for k in range(max(classes, 1))])
    mean = means[label].round().astype(np.uint8)
    real = np.asarray(data.examples(model.config.data, 'test').images)[: flags.num]
    row = {
        'case': f'{student[0].config.name} of {flags.teacher}',
        'step': student[0].record['step'],
        'num': flags.num,
        'psnr': round(float(np.mean(psnr(*drawn))), 2),
        'psnr_of_mean': round(float(np.mean(psnr(drawn[0], mean))), 2),
    }
    for name, (_, draw, numbers), shown in zip(
        ('teacher', 'student'), (teacher, student), drawn, strict=True
    ):
        cards = gv.measure(shown, real, METRICS)
        row |= {f'{name}_{m}': round(float(c.value), 3) for m, c in cards.items()}
        row[f'{name}_parameters'] = numbers
        for n in (1, 64):
            few = (label[:n],) if classes else ()
            row[f'{name}_ms_{n}'] = milliseconds(draw, z[:n], few)
    report('distilled', row, flags.dry)
    if flags.sheet:
        cells = [*drawn[0][:SHOWN], *drawn[1][:SHOWN]]
        names = ['teacher', f'{student[2]:,} numbers']
        picture = sheets.labelled(cells, SHOWN, rows=names)
        images.save_png(Path(flags.sheet), picture)


if __name__ == '__main__':
    main()
