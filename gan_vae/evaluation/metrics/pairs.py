"""PSNR (dB) and SSIM of reconstructions, means over images: see pairs.py."""

import numpy as np

from gan_vae.evaluation import pairs
from gan_vae.evaluation.metrics import HIGHER, ModelMetric


def compute(model) -> dict[str, tuple[float, str]]:
    both = [(pairs.psnr(*ab), pairs.ssim(*ab)) for ab in model.reconstructions()]
    decibels, similarity = (np.concatenate(part) for part in zip(*both, strict=True))
    return {
        'psnr': (float(decibels.mean()), 'dB, mean over images'),
        'ssim': (float(similarity.mean()), 'mean over images'),
    }


METRIC = ModelMetric(
    needs=('latents.encode', 'reconstruct'),
    compute=compute,
    gives={'psnr': HIGHER, 'ssim': HIGHER},
)
