"""A trained model on held-out examples: what the metrics of a model are given."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_vae import data, extractors, images
from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation.plan import Request
from gan_vae.keys import keys_of, purpose_key
from gan_vae.runs.program import Program

BATCH = 100
PER_STEP = 'nats a step, mean over all steps of all sequences'
BINS = 10  # that a continuous factor is cut into

# {what a metric needs of a method: who has it, in an error}
CAPABILITIES = {
    'log_weight': 'an encoder, as a VAE has',
    'evidence_bound': 'a latent at each step of a sequence, as a VRNN has',
    'posterior': 'an encoder, as a VAE has',
    'encode': 'an encoder, as a VAE has',
    'decode': 'a decoder',
}


def capability(method, name: str):
    """The function of a method that CAPABILITIES names, or None."""
    return getattr(method, name)


def check(request: Request, method):
    """A UserError where the method lacks what a metric of a model needs."""
    metric, name = request.metric, request.name
    if method.complete and not metric.sequences:
        raise UserError(f'metric {name!r} is of images: sequences have iwae_K, fivo_K')
    if not any(capability(method, needs) for needs in metric.needs):
        lacking = CAPABILITIES[metric.needs[0]]
        if metric.needs[0] == 'log_weight' and capability(method, 'encode'):
            lacking = 'a likelihood of pixels, as a VAE has'
            if method.classes:
                lacking = 'a likelihood without classes'
        raise UserError(f'metric {name!r} needs {lacking}, and this run has none')
    if metric.argument == 'extractor':
        extractors.load(request.argument)  # what it lacks is known before training


class TrainedModel(NamedTuple):
    """A trained model and the examples that it is measured on."""

    config: Any
    program: Program
    state: Any
    examples: Examples

    def batches(self) -> Iterator[tuple[int, jax.Array, np.ndarray | None]]:
        """(number, what the model sees of examples, their classes if it has some)."""
        noise = purpose_key(self.state.rng, 'data')
        for number, start in enumerate(range(0, self.examples.count, BATCH)):
            rows = np.arange(start, min(start + BATCH, self.examples.count))
            batch = self.program.preprocess(
                keys_of(noise, rows), self.examples.gather(rows)
            )
            label = batch['label'] if self.program.method.classes else None
            yield number, data.content(batch), label

    def capability(self, name: str):
        return capability(self.program.method, name)

    def encode(self):
        """A compiled (state, x, [classes]) -> latents [B, D]."""
        return jax.jit(self.capability('encode'))

    def reconstructions(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """uint8 [B, H, W, C]: examples, binarised where the model sees them so, and
        their reconstructions."""
        both = self.capability('encode'), self.capability('decode')
        for _, x, label in self.batches():
            again = _reconstruct(*both, self.state, x, label)
            yield images.to_uint8(x), images.to_uint8(again)

    def codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Posterior means [n, D], and factors int [n, F], continuous ones in BINS
        bins. A UserError for a set without known factors."""
        if not self.examples.factors:
            raise UserError(
                f'{self.config.data.name} has no known factors: measure '
                'disentanglement on toy_shapes'
            )
        encode = self.encode()
        codes = [encode(self.state, *batch) for _, *batch in self.batches()]
        factors = [
            v
            if np.issubdtype(v.dtype, np.integer)
            else np.digitize(v, np.histogram_bin_edges(v, BINS)[1:-1])
            for v in self.examples.factors.values()
        ]
        return np.concatenate(codes), np.stack(factors, -1).astype(np.int64)

    def codes_in_parts(self) -> tuple[np.ndarray, ...]:
        """Codes and factors of two thirds to train on, and of one to test on."""
        codes, factors = self.codes()
        cut = 2 * len(codes) // 3
        return codes[:cut], factors[:cut], codes[cut:], factors[cut:]


# A jit of the module: of a function made at each evaluation it would compile anew.
@partial(jax.jit, static_argnums=(0, 1))
def _reconstruct(encode, decode, state, x, label):
    return decode(state, encode(state, x, label), label)


def measure(request: Request, model: TrainedModel) -> dict[str, tuple[float, str]]:
    """{result: (value, its unit and protocol)} of one metric of a model."""
    argument = [request.argument] if request.argument else []
    found = request.metric.compute(model, *argument)
    return {
        request.title(key): (float(value), how) for key, (value, how) in found.items()
    }
