"""Do our metrics give the numbers of the libraries that people cite?

pip install -e '.[test,oracle]'
python -m tests.evaluation.golden.metrics

Prints how far ours are from theirs on seeded arrays, and writes theirs to
metrics.json beside this file, which the tests hold ours to. Tests marked
`oracle` ask the libraries again, with other seeds.
"""

import functools
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np

from gan_vae.evaluation import inception_score, manifold, pairs, path_length
from gan_vae.evaluation.metrics import fd, kid, swd

GOLDEN = Path(__file__).with_name('metrics.json')


class Arrays(NamedTuple):
    real: np.ndarray  # features [300, 48] and [260, 48], unlike and correlated
    fake: np.ndarray
    logits: np.ndarray  # [305, 20]
    a: np.ndarray  # uint8 images [3, 20, 31, 3], and b the same with noise
    b: np.ndarray
    directions: np.ndarray  # [16, 48] of length 1
    latents: np.ndarray  # [2, 5, 48]
    t: np.ndarray  # [5]
    z: np.ndarray  # [2, 120, 16]


def arrays(seed: int = 0) -> Arrays:
    """The arrays that ours and theirs are computed from; pure in the seed."""
    random = np.random.RandomState(seed)  # its streams never change
    mix = random.randn(48, 48) / 7
    a = random.randint(0, 256, (3, 20, 31, 3)).astype(np.uint8)
    directions = random.randn(16, 48)
    return Arrays(
        real=random.randn(300, 48) @ mix,
        fake=random.randn(260, 48) @ mix * 0.95 + 0.05,
        logits=3 * random.randn(305, 20),
        a=a,
        b=np.clip(a + 30 * random.randn(*a.shape), 0, 255).astype(np.uint8),
        directions=directions / np.linalg.norm(directions, axis=1, keepdims=True),
        latents=random.randn(2, 5, 48),
        t=random.rand(5),
        z=random.randn(2, 120, 16),
    )


@functools.cache
def declare_torchvision():
    """torch, able to import torchvision.

    A torchvision built for CUDA finds no operators of its own beside a torch for CPUs,
    as indexes of CPU wheels pair them; the wheels of one index need nothing.
    """
    import torch

    try:
        importlib.import_module('torchvision')
    except RuntimeError:
        _KEPT.append(torch.library.Library('torchvision', 'FRAGMENT'))
        for name in ('nms', 'qnms'):
            _KEPT[0].define(f'{name}(Tensor dets, Tensor scores, float t) -> Tensor')
    return torch


_KEPT = []  # a Library undoes its declarations when it is collected


def _fidelity_fid(x, y):
    torch = declare_torchvision()
    from torch_fidelity import metric_fid

    both = [metric_fid.fid_features_to_statistics(torch.from_numpy(f)) for f in (x, y)]
    return metric_fid.fid_statistics_to_metric(*both, False)[
        'frechet_inception_distance'
    ]


def _pytorch_fid(x, y):
    declare_torchvision()
    from pytorch_fid.fid_score import calculate_frechet_distance

    of = [part for f in (x, y) for part in (f.mean(0), np.cov(f, rowvar=False))]
    return calculate_frechet_distance(*of)


def _torchmetrics_fid(x, y):
    torch = declare_torchvision()
    from torchmetrics.image.fid import FrechetInceptionDistance

    features = torch.nn.Identity()
    features.num_features = x.shape[1]
    metric = FrechetInceptionDistance(feature=features).set_dtype(torch.float64)
    metric.update(torch.from_numpy(x), real=True)
    metric.update(torch.from_numpy(y), real=False)
    return float(metric.compute())


def _torchmetrics_kid(x, y):
    """One subset of everything: its own order does not matter."""
    torch = declare_torchvision()
    from torchmetrics.image.kid import KernelInceptionDistance

    features = torch.nn.Identity()
    metric = KernelInceptionDistance(features, subsets=1, subset_size=len(x))
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(x), real=True)
    metric.update(torch.from_numpy(y), real=False)
    return float(metric.compute()[0])


def _fidelity_kid_subsets(x, y):
    torch = declare_torchvision()
    from torch_fidelity import metric_kid

    settings = {'kid_subsets': 10, 'kid_subset_size': 100, 'verbose': False}
    both = (torch.from_numpy(f) for f in (x, y))
    return list(metric_kid.kid_features_to_metric(*both, **settings).values())


def _fidelity_kid(x, y):
    declare_torchvision()
    from torch_fidelity import metric_kid

    return metric_kid.kernel_mmd(x, y)


def _fidelity_is(logits):
    torch = declare_torchvision()
    from torch_fidelity import metric_isc

    return list(metric_isc.isc_features_to_metric(torch.from_numpy(logits)).values())


def _fidelity_precision_recall(real, fake):
    torch = declare_torchvision()
    from torch_fidelity import metric_prc

    both = (torch.from_numpy(f) for f in (fake, real))  # generated first
    found = metric_prc.prc_features_to_metric(*both, verbose=False)
    return [found['precision'], found['recall']]


def _prdc(real, fake):
    from prdc import compute_prdc

    return list(map(float, compute_prdc(real, fake, 5).values()))


def _skimage_ssim(a, b):
    from skimage.metrics import structural_similarity

    settings = {'gaussian_weights': True, 'sigma': 1.5, 'use_sample_covariance': False}
    settings |= {'data_range': 255, 'channel_axis': -1}
    return [structural_similarity(*pair, **settings) for pair in zip(a, b, strict=True)]


def _skimage_psnr(a, b):
    from skimage.metrics import peak_signal_noise_ratio

    each = zip(a, b, strict=True)
    return [peak_signal_noise_ratio(*pair, data_range=255) for pair in each]


def _nchw(images):
    torch = declare_torchvision()
    return torch.from_numpy(images).permute(0, 3, 1, 2).double()


def _torchmetrics_ssim(a, b):
    """Per image, without the border of 5 pixels, where its windows see a reflection."""
    declare_torchvision()
    from torchmetrics.image import StructuralSimilarityIndexMeasure

    metric = StructuralSimilarityIndexMeasure(
        sigma=1.5, data_range=255.0, k1=0.01, k2=0.03, return_full_image=True
    )
    metric.update(_nchw(a), _nchw(b))
    whole = metric.compute()[1]
    return whole[..., 5:-5, 5:-5].mean((1, 2, 3)).tolist()


def _torchmetrics_psnr(a, b):
    """Image by image: for several it is that of their pooled error."""
    torch = declare_torchvision()
    from torchmetrics.image import PeakSignalNoiseRatio

    metric = PeakSignalNoiseRatio(data_range=255.0).set_dtype(torch.float64)
    each = zip(_nchw(a), _nchw(b), strict=True)
    return [float(metric(*pair)) for pair in each]


def _pot(x, y, directions):
    import ot

    return ot.sliced_wasserstein_distance(x, y, projections=directions.T, p=1)


def _fidelity_slerp(a, b, t):
    torch = declare_torchvision()
    from torch_fidelity.noise import batch_slerp_any

    a, b, t = (torch.from_numpy(part) for part in (a, b, t[:, None]))
    return batch_slerp_any(a, b, t).norm(dim=1).tolist()


def _fidelity_path_length(z, matrix):
    """Means of all lengths and of those that it keeps, of pictures z @ matrix.

    It starts at t = 0. Its noise source is replaced by one that gives z, in float64.
    """
    torch = declare_torchvision()
    from torch_fidelity import GenerativeModelModuleWrapper, metric_ppl, registry
    from torch_fidelity.sample_similarity_base import SampleSimilarityBase

    class Squared(SampleSimilarityBase):
        def __init__(self, name, **_):
            super().__init__(name)

        def forward(self, a, b):
            return ((a - b) ** 2).sum((1, 2, 3))

    class Generator(torch.nn.Module):
        def forward(self, z):
            return (z @ torch.from_numpy(matrix)).reshape(len(z), 3, 4, 4)

    def percentile(values, at, interpolation, of=np.percentile):
        return of(values, at, method=interpolation)  # the old word, gone in NumPy 2.4

    def mean(**settings):
        ends = map(torch.from_numpy, z)
        noise = {'normal': lambda *_: next(ends)}
        with (
            mock.patch.dict(registry.NOISE_SOURCE_REGISTRY, noise),
            mock.patch.dict(registry.SAMPLE_SIMILARITY_REGISTRY, squared=Squared),
            mock.patch.object(np, 'percentile', percentile),
        ):
            found = metric_ppl.calculate_ppl(
                1,
                input1=GenerativeModelModuleWrapper(
                    Generator(), z.shape[-1], 'normal', num_classes=0
                ),
                input1_model_num_samples=z.shape[1],
                ppl_sample_similarity='squared',
                ppl_epsilon=1e-4,
                ppl_z_interp_mode='slerp_any',
                cuda=False,
                verbose=False,
                **settings,
            )
        return found['perceptual_path_length_mean']

    everything = dict.fromkeys(
        ('ppl_discard_percentile_lower', 'ppl_discard_percentile_higher')
    )
    return [mean(**everything), mean()]


def _ours_kid_subsets(x, y):
    """The mean and the deviation over random subsets, drawn as torch-fidelity does."""
    random = np.random.RandomState(2020)
    values = []
    for _ in range(10):
        rows = [random.choice(len(f), 100, replace=False) for f in (x, y)]
        values.append(kid.kid(x[rows[0]], y[rows[1]]))
    return [np.mean(values), np.std(values)]


def _ours_path_length(z, matrix):
    lengths = path_length.path_length(
        lambda z: (z @ matrix).reshape(-1, 3, 4, 4),
        lambda a, b: ((a - b) ** 2).sum((1, 2, 3)),
        *z,
        t=np.zeros(z.shape[1]),
        epsilon=1e-4,
        interpolate=path_length.slerp,
    )
    return [lengths.mean(), path_length.mean_path_length(lengths)]


def _ours_slerp(a, b, t):
    return np.linalg.norm(path_length.slerp(a, b, t), axis=1)


def _ours_prdc(real, fake):
    found = manifold.precision_recall(real, fake, k=5)
    return [*found.values(), *manifold.density_coverage(real, fake, k=5).values()]


class Case(NamedTuple):
    library: str  # as it is imported
    ours: Callable  # (*arguments) -> number or list of them
    theirs: Callable
    arguments: Callable  # Arrays -> arguments of both


def _features(all_of):
    return all_of.real, all_of.fake


def _few(all_of):
    return all_of.real[:30], all_of.fake[:40]  # fewer than dimensions


def _images(all_of):
    return all_of.a, all_of.b


CASES = {
    'frechet': Case('torch_fidelity', fd.distance_of, _fidelity_fid, _features),
    'frechet_few': Case('torch_fidelity', fd.distance_of, _fidelity_fid, _few),
    'frechet_sqrtm': Case('pytorch_fid', fd.distance_of, _pytorch_fid, _features),
    'frechet_torchmetrics': Case(
        'torchmetrics', fd.distance_of, _torchmetrics_fid, _features
    ),
    'kid': Case(
        'torch_fidelity',
        kid.kid,
        _fidelity_kid,
        lambda all_of: (all_of.real[:260], all_of.fake),
    ),
    'kid_torchmetrics': Case(
        'torchmetrics',
        kid.kid,
        _torchmetrics_kid,
        lambda all_of: (all_of.real[:260], all_of.fake),
    ),
    'kid_subsets': Case(
        'torch_fidelity',
        _ours_kid_subsets,
        _fidelity_kid_subsets,
        _features,
    ),
    'inception_score': Case(
        'torch_fidelity',
        inception_score.inception_score,
        _fidelity_is,
        lambda all_of: (all_of.logits,),
    ),
    'precision_recall': Case(
        'torch_fidelity',
        lambda x, y: list(manifold.precision_recall(x, y).values()),
        _fidelity_precision_recall,
        _features,
    ),
    'prdc': Case('prdc', _ours_prdc, _prdc, _features),
    'ssim': Case('skimage', pairs.ssim, _skimage_ssim, _images),
    'ssim_grey': Case(
        'skimage',
        pairs.ssim,
        _skimage_ssim,
        lambda all_of: (all_of.a[..., :1], all_of.b[..., :1]),
    ),
    'ssim_torchmetrics': Case('torchmetrics', pairs.ssim, _torchmetrics_ssim, _images),
    'psnr': Case('skimage', pairs.psnr, _skimage_psnr, _images),
    'psnr_torchmetrics': Case('torchmetrics', pairs.psnr, _torchmetrics_psnr, _images),
    'sliced': Case(
        'ot',
        lambda x, y, u: swd.wasserstein(u @ x.T, u @ y.T).mean(),
        _pot,
        lambda all_of: (*_features(all_of), all_of.directions),
    ),
    'slerp': Case(
        'torch_fidelity',
        _ours_slerp,
        _fidelity_slerp,
        lambda all_of: (*all_of.latents, all_of.t),
    ),
    'path_length': Case(
        'torch_fidelity',
        _ours_path_length,
        _fidelity_path_length,
        lambda all_of: (all_of.z, all_of.directions),
    ),
}


def main():
    golden = {}
    print(f'{"case":22} {"library":15} {"difference":>10}  ours')
    for name, case in CASES.items():
        arguments = case.arguments(arrays())
        ours = np.asarray(case.ours(*arguments), np.float64)
        theirs = np.asarray(case.theirs(*arguments), np.float64)
        golden[name] = theirs.tolist()
        apart = np.max(np.abs(ours / theirs - 1))
        print(f'{name:22} {case.library:15} {apart:10.1e}  {np.round(ours, 7)}')
    GOLDEN.write_text(json.dumps(golden, indent=1) + '\n')


if __name__ == '__main__':
    main()
