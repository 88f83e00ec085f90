"""What does a model keep of single pictures of noise? By the attacks of `membership`.

    exposure = log2 (others + 1) - log2 rank

of a planted picture of data/readers/canaries.py, its rank among itself and the others
that were not trained on, the likeliest member first; the mean over those planted.
Carlini et al. 2019, arXiv:1802.08232, section 4. It is 1.44 (log2 e) or a little less
for a model that knows none, and log2 (others + 1) for one that knows all.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from gan_vae.errors import UserError
from gan_vae.evaluation.metrics import membership
from gan_vae.evaluation.metrics.membership import ATTACKS, attacks, leak, numbers


def exposure(members: np.ndarray, others: np.ndarray) -> float:
    """The mean over members of the numbers [n], smaller ones likelier, ties as halves;
    others: [m]."""
    below = (others[None] < members[:, None]).sum(1)
    equal = (others[None] == members[:, None]).sum(1)
    return float(np.mean(np.log2(len(others) + 1) - np.log2(1 + below + equal / 2)))


def check(config: Any):
    """A UserError for a run without canaries."""
    if not config.data.name.startswith('canaries:'):
        raise UserError(
            f'metric canaries: config.data.name={config.data.name} has none: train on '
            f'canaries:{config.data.name}'
        )


def compute(model: Any) -> dict[str, tuple[float, str]]:
    from gan_vae import data
    from gan_vae.data.readers.canaries import PLANTED, SPARE

    settings, captions = model.config.data, model.program.method.captions
    text = captions and captions.text
    both = [
        model._replace(examples=data.examples(settings, split, text))
        for split in (PLANTED, SPARE)
    ]
    results = {}
    for attack in attacks(model):
        members, others = (numbers(one, attack) for one in both)
        found = leak(members, others)
        how = f'of {len(members)} planted pictures of noise, by {ATTACKS[attack]}'
        results[f'{{name}}_{attack}'] = (
            found.auc,
            f'AUC {how}; 95 % {found.low:.3f} to {found.high:.3f}; 0.5 is no leak',
        )
        results[f'{{name}}_{attack}_exposure'] = (
            exposure(members, others),
            f'bits, {how}; {np.log2(len(others) + 1):.2f} are all',
        )
    return results


METRIC = replace(membership.METRIC, compute=compute, check=check)
