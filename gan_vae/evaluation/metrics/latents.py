"""Active units, KL, mutual information, and the alarm for collapse: see latents.py."""

from gan_vae.evaluation.metrics import HIGHER, LOWER, ModelMetric

UNITS = {
    'active_units': 'variance of the posterior mean above 0.01',
    'low_kl_share': 'share of units with KL below 0.01 nats',
    'mutual_information_at_most': 'nats',
    'collapsed': '1: the posterior says nothing of what it saw',
}


def compute(model) -> dict[str, tuple[float, str]]:
    import jax

    from gan_vae.evaluation import latents

    posterior = jax.jit(model.capability('latents.posterior'))
    statistics = latents.collapsed(
        posterior(model.weights, *xs) for _, *xs in model.batches()
    )
    return {name: (float(statistics[name]), unit) for name, unit in UNITS.items()}


METRIC = ModelMetric(
    needs=('latents.posterior',),
    compute=compute,
    gives=dict(zip(UNITS, (HIGHER, LOWER, HIGHER, LOWER), strict=True)),
    sequences=True,
)
