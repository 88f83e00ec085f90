"""Regenerates the stored outputs of the Inception network, by torch-fidelity.

pip install -e '.[test,oracle]'
python -m tests.evaluation.golden.inception

Writes inception.json beside this file from the weights and pictures of
tests/extractors/test_inception.py, and prints how far ours is from each output.
"""

import json
import runpy
import tempfile
from pathlib import Path

import numpy as np

from gan_vae.extractors import inception
from tests.evaluation.golden.metrics import declare_torchvision

TESTS = Path(__file__).parents[2] / 'extractors'


def main():
    torch = declare_torchvision()
    test = runpy.run_path(TESTS / 'test_inception.py')
    state = test['seeded_state'](0)
    with tempfile.TemporaryDirectory() as folder:
        theirs = test['fidelity_outputs'](torch, state, Path(folder))
    ours = inception.network(inception.fold(state), test['pictures']())
    golden = {}
    for name, values in theirs.items():
        golden[name] = {
            'some': [[float(f'{v:.8g}') for v in row] for row in test['some'](values)],
            'means': [float(f'{v:.8g}') for v in np.abs(values).mean(1)],
        }
        print(f'{name:10} {test["deviation"](ours[name], values):.1e}')
    test['GOLDEN'].write_text(json.dumps(golden, indent=1) + '\n')


if __name__ == '__main__':
    main()
