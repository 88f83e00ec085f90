"""The bound of K particles, resampled when few of them count; nats a step.

Maddison et al. 2017, arXiv:1705.09279.
"""

from gan_vae.evaluation.metrics import HIGHER, ModelMetric


def compute(model, count: str) -> dict[str, tuple[float, str]]:
    from gan_vae.evaluation import importance
    from gan_vae.evaluation.trained_model import PER_STEP

    value = importance.mean_of_steps(model, int(count), 0.5)
    how = f'{count} particles, resampled below an effective half of them; {PER_STEP}'
    return {'{name}': (value, how)}


METRIC = ModelMetric(
    needs=('density.particle_bound',),
    compute=compute,
    gives={'{name}': HIGHER},
    argument='number',
    sequences=True,
)
