"""Is a GAN of few pictures better begun with a trained one? Equal processor time.

python -m benchmarks.quality.transfer --run=RUN [--minutes=5] [--numbers=10,100]
    [--data=fluent:flat] [--arms=scratch,packed,run,frozen,kept] [--sheet=OUT.png]

Each arm is configs/finetune.py on the first so many pictures of a set, in a process of
its own until that has taken so many minutes of processor time, compilation included:

  scratch    from weights drawn anew
  packed     from pretrained:emoji_gan, which has no discriminator
  run        from RUN, a run of configs/dcgan_emoji.py:pocket, G and D
  frozen     so too, the first two convolutions of D as they are (Freeze-D)
  kept       as run, samples as far apart as RUN's (cross-domain correspondence)

Its averaged weights are measured with --num samples against pictures that no arm has
seen (the splits validation and test of the set): KID x 1000 (null: that of two halves
of those pictures; features of vgg_hed are not of unit size) and recall in two spaces,
and originality, the share of samples nearer to a training picture than 99 % of those
unseen pictures are, with its p-value. A row for each in results/transfer.jsonl. The
sheet has the first samples of each arm below the first training pictures.
"""

import argparse
from pathlib import Path

import numpy as np

import gan_vae as gv
from benchmarks.quality.learning_speed import train_for
from benchmarks.rows import report
from gan_vae import data, extractors, images
from gan_vae.art import sheets
from gan_vae.config import default
from gan_vae.devices.mesh import mesh_of
from gan_vae.evaluation import manifold
from gan_vae.evaluation.metrics import kid, originality
from gan_vae.extractors import features

SPACES = 'random', 'vgg_hed'
COLUMNS = 12
SHARED = {
    'train.steps': 1_000_000,  # never reached
    'train.checkpoint_steps': 500,
    'train.image_steps': 1_000_000,
}


def arms(run: str) -> dict[str, dict]:
    """{arm: what is unlike the config}."""
    first = 'discriminator/Conv_0,discriminator/Conv_1'
    return {
        'scratch': {'train.init_from': ''},
        'packed': {},
        'run': {'train.init_from': run},
        'frozen': {'train.init_from': run, 'optimizer.frozen': first},
        'kept': {'train.init_from': run, 'method.correspondence_weight': 100.0},
    }


def pictures(name: str, split: str) -> np.ndarray:
    """uint8 [n, 32, 32, 3]."""
    settings = default.get_config().data
    settings.name = name
    return np.asarray(data.examples(settings, split).images)


def vectors(shown: np.ndarray) -> list[np.ndarray]:
    """Features [n, d] of pictures, in each of SPACES."""
    mesh = mesh_of(1, 1)
    networks = [extractors.load(space) for space in SPACES]
    return [features.extract(n, shown, mesh)['features'] for n in networks]


def measure(*sets: list[np.ndarray]) -> dict:
    """The figures of the vectors of training pictures, of unseen ones and samples."""
    row = {}
    for space, seen, real, made in zip(SPACES, *sets, strict=True):
        row[f'kid_{space}'] = round(1000 * kid.kid(real, made), 3)
        row[f'kid_{space}_null'] = round(1000 * kid.kid(real[::2], real[1::2]), 3)
        row[f'recall_{space}'] = manifold.precision_recall(real, made)['recall']
        new = originality.originality(seen, real, made)
        row[f'near_{space}'] = new['share_below_1st_percentile']
        row[f'near_p_{space}'] = round(new['p_value'], 4)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--run', required=True, help='a trained dcgan_emoji:pocket')
    parser.add_argument('--minutes', type=float, default=5.0)
    parser.add_argument('--numbers', default='10,100', help='of training pictures')
    parser.add_argument('--data', default='fluent:flat')
    parser.add_argument('--arms', default='scratch,packed,run,frozen')
    parser.add_argument('--num', type=int, default=500, help='samples')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, default=Path('runs/transfer'))
    parser.add_argument('--sheet', default='', help='a picture to write')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    unseen = vectors(pictures(flags.data, 'validation+test'))
    shown, rows = [], []
    for number in map(int, flags.numbers.split(',')):
        split = f'train[:{number}]'
        train = pictures(flags.data, split)
        seen = vectors(train)
        shown += [*train[np.arange(COLUMNS) % number]]
        rows.append(f'{number} pictures')
        place = {'data.name': flags.data, 'data.split': split, 'data.eval_split': split}
        for arm in flags.arms.split(','):
            name = f'{arm}-{flags.data.replace(":", "-")}-{number}-{flags.seed}'
            run = flags.out.resolve() / name
            changes = SHARED | place | {'train.seed': flags.seed}
            changes |= arms(str(Path(flags.run).resolve()))[arm]
            train_for(flags.minutes, run, 'finetune.py', changes)
            model = gv.open(run)
            fake = model.sample(flags.num, seed=0)
            shown += [*fake[:COLUMNS]]
            rows.append(arm)
            row = {
                'case': f'{arm}, {number} pictures of {flags.data}',
                'seed': flags.seed,
                'step': model.record['step'],
                'minutes': float((run / 'minutes.txt').read_text()),
            } | measure(seen, unseen, vectors(fake))
            report('transfer', row, flags.dry)
    if flags.sheet:
        picture = sheets.labelled(shown, COLUMNS, rows=rows)
        images.save_png(Path(flags.sheet), picture)


if __name__ == '__main__':
    main()
