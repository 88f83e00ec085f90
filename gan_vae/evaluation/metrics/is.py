"""The Inception score of samples: see inception_score.py."""

from gan_vae.evaluation.inception_score import inception_score
from gan_vae.evaluation.metrics import HIGHER, SampleMetric

METRIC = SampleMetric(
    needs='logits',
    compute=lambda real, fake, held_out, seed: {'is': inception_score(fake)[0]},
    gives={'is': HIGHER},
    extractor='inception',
    published={'inception': 'is'},
)
