"""Does a model know the pictures that it was trained on better than others?

python -m benchmarks.quality.membership RUN... [--dry]

The metric `membership` (gan_vae/evaluation/metrics/membership.py) of runs and of packed
models: a row of results/membership.jsonl for each.
"""

import argparse

from benchmarks.rows import report
from gan_vae.evaluation.run import evaluate_run
from gan_vae.runs import folder, packed


def measure(run: str) -> dict:
    """The row of a run."""
    config = folder.read_config(packed.find(run))
    results = {
        name.removeprefix('eval/'): result
        for name, result in evaluate_run(run, metrics='membership').items()
        if name.startswith('eval/membership')
    }
    return {
        'case': config.data.name,
        'run': config.name,
        'how': {name: result['protocol'] for name, result in results.items()},
    } | {name: round(result['value'], 4) for name, result in results.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', nargs='+', metavar='RUN')
    parser.add_argument('--dry', action='store_true', help='append no rows')
    flags = parser.parse_args()
    for run in flags.runs:
        report('membership', measure(run), flags.dry)


if __name__ == '__main__':
    main()
