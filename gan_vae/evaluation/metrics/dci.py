"""Disentanglement, completeness and informativeness: see disentanglement.py."""

from gan_vae.evaluation import disentanglement
from gan_vae.evaluation.metrics import HIGHER, ModelMetric


def compute(model) -> dict[str, tuple[float, str]]:
    from gan_vae.evaluation.trained_model import BINS

    scores = disentanglement.dci(*model.codes_in_parts())
    how = f'posterior means, boosted trees on two thirds, factors in {BINS} bins'
    return {f'dci_{name}': (value, how) for name, value in scores.items()}


METRIC = ModelMetric(
    needs=('latents.encode',),
    compute=compute,
    gives={
        'dci_disentanglement': HIGHER,
        'dci_completeness': HIGHER,
        'dci_informativeness': HIGHER,
    },
    packages={'sklearn': 'metrics'},
)
