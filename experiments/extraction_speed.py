"""How fast does the FID Inception read pictures, against torch-fidelity's?

pip install -e '.[oracle,test]'
python experiments/extraction_speed.py [--num=64] [--batch=32] [--rounds=4]

The same seeded weights and the same uint8 pictures of 32x32; both sides resize them to
299 and give the 2048 features, in turns in one process, and the ratio is the median
over rounds of their paired times. Both use the same cores.
"""

import argparse
import runpy
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from speed import append

from gan_vae.devices import process
from gan_vae.devices.mesh import mesh_of
from gan_vae.extractors import Extractor, features, inception
from tests.evaluation.golden.metrics import declare_torchvision

TESTS = Path(__file__).parents[1] / 'tests' / 'extractors'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--num', type=int, default=64)
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--rounds', type=int, default=4)
    flags = parser.parse_args()
    process.prepare()
    torch = declare_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    state = runpy.run_path(TESTS / 'test_inception.py')['seeded_state'](0)
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (flags.num, 32, 32, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'state.pth'
        torch.save({k: torch.tensor(v) for k, v in state.items()}, path)
        net = FeatureExtractorInceptionV3(
            'inception-v3-compat', ['2048'], feature_extractor_weights_path=str(path)
        ).eval()
    extractor = Extractor(
        'inception', '', 299, 'tf1', inception.fold(state), inception.network
    )

    def ours():
        return features.extract(extractor, pictures, mesh_of(1, 1), flags.batch)[
            'features'
        ]

    def theirs():
        batches = torch.from_numpy(pictures.transpose(0, 3, 1, 2)).split(flags.batch)
        with torch.inference_mode():
            return np.concatenate([net(batch)[0].numpy() for batch in batches])

    found = {'ours': ours(), 'torch_fidelity': theirs()}  # compiled, warmed up
    apart = np.abs(found['ours'] - found['torch_fidelity']).max()
    times = {name: [] for name in found}
    sides = {'ours': ours, 'torch_fidelity': theirs}
    for turn in range(flags.rounds):
        for name in list(sides) if turn % 2 else list(sides)[::-1]:
            start = time.perf_counter()
            sides[name]()
            times[name].append(time.perf_counter() - start)
    pairs = zip(times['torch_fidelity'], times['ours'], strict=True)
    ratio = statistics.median(peer / own for peer, own in pairs)
    own, peer = (flags.num / statistics.median(times[name]) for name in sides)
    print(
        f'{flags.num} pictures: ours {own:.1f}/s, torch-fidelity {peer:.1f}/s: ours is '
        f'{ratio:.2f} times as fast; features differ by {apart:.1e} at most'
    )
    row = {'case': 'inception', 'against': 'torch_fidelity', 'unit': 'pictures/s'}
    row |= {'ours': own, 'peer': peer, 'ratio': round(ratio, 3), 'num': flags.num}
    append('extraction_speed', row | {'batch': flags.batch, 'rounds': flags.rounds})


if __name__ == '__main__':
    main()
