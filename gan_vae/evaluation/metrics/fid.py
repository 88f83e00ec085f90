"""FID: the Fréchet distance on Inception's features; only that one is called so."""

from dataclasses import replace

from gan_vae.evaluation.metrics import fd

METRIC = replace(fd.METRIC, extractor='inception', fixed_extractor=True)
