"""Draws curves of a run from its metrics.jsonl.

pip install -e '.[bench]'
python experiments/curves.py RUN_FOLDER OUT.png train/loss_d train/loss_g
"""

import json
import sys
from pathlib import Path


def main(workdir: str, out: str, *names: str):
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    lines = (Path(workdir) / 'metrics.jsonl').read_text().splitlines()
    record = [json.loads(line) for line in lines]
    figure, axes = plt.subplots(figsize=(6, 2.6), dpi=100)
    for name in names:
        points = [(r['step'], r[name]) for r in record if name in r]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1)
    axes.set_xlabel('step')
    axes.set_ylabel('nats per example')
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(out)


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
