"""Variational recurrent network on the orchestral music of MuseData.

python -m gan_vae.data.prepare muse_data
python launch.py --config=configs/vrnn_muse.py      one CPU core: 1,000 steps, 15 min

Published, nats a step of the test split: VRNN of Maddison et al. 2017,
arXiv:1705.09279, ELBO 7.15, FIVO 6.20 of 4 particles, 5.89 of 16; SRNN 6.28
(Fraccaro et al. 2016). Ours: docs/results/sequences.md.
"""

from configs import default, vrnn_jsb, vrnn_nottingham


def get_config(variant=''):
    config = vrnn_jsb.get_config()
    default.update(config, vrnn_nottingham.LONG | {'data.name': 'muse_data'})
    return default.with_variant(config, variant, tiny=vrnn_jsb.TINY)
