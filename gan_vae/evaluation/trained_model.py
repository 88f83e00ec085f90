"""A trained model on held-out examples: what the metrics of a model are given."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_vae import data, extractors, images
from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import ModelMetric
from gan_vae.evaluation.plan import Request
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning.state import Weights
from gan_vae.methods.contract import Method, capability, required
from gan_vae.runs.program import Program

BATCH = 100
PER_STEP = 'nats a step, mean over all steps of all sequences'
BINS = 10  # that a continuous factor is cut into


def check(request: Request[ModelMetric], method: Method):
    """A UserError where the method lacks what a metric of a model needs."""
    metric, what = request.metric, f'metric {request.name!r}'
    if method.continuation and not metric.sequences:
        raise UserError(f'{what} is of images: sequences have iwae_K, fivo_K')
    if not any(capability(method, needs) for needs in metric.needs):
        required(method, metric.needs[0], what)
    if metric.argument == 'extractor':
        extractors.load(request.argument)  # what it lacks is known before training


class TrainedModel(NamedTuple):
    """A trained model and the examples that it is measured on."""

    config: Any
    program: Program
    weights: Weights
    examples: Examples

    def batches(self) -> Iterator[tuple[int, Any, np.ndarray | None]]:
        """(number, what the model sees of examples, their classes if it has some)."""
        noise = purpose_key(self.weights.key, 'data')
        for number, start in enumerate(range(0, self.examples.size, BATCH)):
            rows = np.arange(start, min(start + BATCH, self.examples.size))
            batch = self.program.preprocess(
                keys_of(noise, jnp.asarray(rows)), self.examples.gather(rows)
            )
            label = batch['label'] if self.program.method.classes else None
            yield number, data.content(batch), label

    def capability(self, path: str) -> Any:
        """A function of its method, or None: see contract.capability."""
        return capability(self.program.method, path)

    def reconstructions(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """uint8 [B, H, W, C]: examples, binarised where the model sees them so, and
        their reconstructions."""
        both = self.capability('latents.encode'), self.capability('latents.decode')
        direct = self.capability('reconstruct')
        for _, x, label in self.batches():
            if direct:
                again = _again(direct, self.weights, x)
            else:
                again = _reconstruct(*both, self.weights, x, label)
            yield images.to_uint8(x), images.to_uint8(again)

    def codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Posterior means [n, D], and factors int [n, F], continuous ones in BINS
        bins. A UserError for a set without known factors."""
        if not self.examples.factors:
            raise UserError(
                f'{self.config.data.name} has no known factors: measure '
                'disentanglement on toy_shapes'
            )
        encode = jax.jit(self.capability('latents.encode'))
        codes = [encode(self.weights, *batch) for _, *batch in self.batches()]
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


@partial(jax.jit, static_argnums=0)
def _again(reconstruct, weights, x):
    return reconstruct(weights, x)


# A jit of the module: of a function made at each evaluation it would compile anew.
@partial(jax.jit, static_argnums=(0, 1))
def _reconstruct(encode, decode, weights, x, label):
    return decode(weights, encode(weights, x, label), label)


def measure(
    request: Request[ModelMetric], model: TrainedModel
) -> dict[str, tuple[float, str]]:
    """{result: (value, its unit and protocol)} of one metric of a model."""
    argument = [request.argument] if request.argument else []
    results = request.metric.compute(model, *argument)
    return {
        request.title(key): (float(value), how) for key, (value, how) in results.items()
    }
