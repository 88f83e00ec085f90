"""Do sampled chorales have the counts of real ones? Beside the test set's.

python -m benchmarks.quality.chorales RUN... [--num=100] [--steps=64]

The best checkpoint of each run of rolls draws `num` pieces of `steps` steps; the test
split and a train split of as many pieces are cut to as many. Adds rows to
results/chorales.jsonl and prints a table; see music.py.
"""

import argparse

from benchmarks.quality import music
from benchmarks.rows import append
from gan_vae import data
from gan_vae.art import making, sequences
from gan_vae.runs import folder as run_folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+')
    parser.add_argument('--num', type=int, default=100)
    parser.add_argument('--steps', type=int, default=64)
    flags = parser.parse_args()
    settings = run_folder.read_config(flags.runs[0]).data
    real = {
        split: [v[: flags.steps] for v in data.examples(settings, split).values]
        for split in ('test', 'train')
    }
    sets = {f'{settings.name} {s}': rolls[: flags.num] for s, rolls in real.items()}
    for run in flags.runs:
        method, state, about = making.load(run, 'best')
        drawn = sequences.draw(method, state, 0, flags.num)
        name = f'{about["config"]}, step {about["step"]}'
        sets[name] = [v[: flags.steps] for v in drawn]
    first = music.pitch_classes(next(iter(sets.values())))
    rows = []
    for name, rolls in sets.items():
        counts = music.counts(rolls)
        counts['pitch_overlap'] = music.overlap(first, music.pitch_classes(rolls))
        rows.append({'case': name, 'pieces': len(rolls), **counts})
        append('chorales', rows[-1] | {'steps': flags.steps, 'seed': 0})
    columns = [c for c in rows[0] if c not in ('case', 'pieces')]
    print('| of | pieces |', ' | '.join(columns), '|')
    for row in rows:
        cells = [f'{row[c]:.3f}' for c in columns]
        print(f'| {row["case"]} | {row["pieces"]} |', ' | '.join(cells), '|')


if __name__ == '__main__':
    main()
