"""Does a model know the pictures that it was trained on better than others?

python -m benchmarks.quality.membership RUN... [--dry]

The metric `membership` (gan_vae/evaluation/metrics/membership.py) of runs and of packed
models: a row of results/membership.jsonl for each.
"""

import argparse

from benchmarks.rows import report
from gan_vae import data
from gan_vae.evaluation.metrics import membership
from gan_vae.evaluation.trained_model import TrainedModel
from gan_vae.runs import opened
from gan_vae.runs.program import build


def measure(run: str) -> dict:
    """The row of a run."""
    model = opened.load(run)
    config, captions = model.config, model.method.captions
    text = captions and captions.text
    held_out = data.examples(config.data, config.data.eval_split, text)
    program = build(config, held_out.spec)
    weights = program.method.settle(model.weights)
    results = membership.compute(TrainedModel(config, program, weights, held_out))
    return {
        'case': config.data.name,
        'run': f'{config.name}, step {model.record["step"]}',
        'how': {
            key.format(name='membership'): how for key, (_, how) in results.items()
        },
    } | {key.format(name='membership'): round(v, 4) for key, (v, _) in results.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for run in flags.runs:
        report('membership', measure(run), flags.dry)


if __name__ == '__main__':
    main()
