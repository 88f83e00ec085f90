"""Variational recurrent network on the classical piano of Piano-midi.de.

python -m gan_vae.data.prepare piano_midi
python launch.py --config=configs/vrnn_piano.py         one CPU core: 18 min

Published, nats a step of the test split: VRNN of Maddison et al. 2017,
arXiv:1705.09279, ELBO 7.81, FIVO 7.76 of 4 particles, 7.43 of 16; SRNN 8.20
(Fraccaro et al. 2016). Ours: docs/results/sequences.md.
"""

from configs import default, vrnn_jsb, vrnn_nottingham


def get_config(variant=''):
    config = vrnn_jsb.get_config()
    default.update(config, vrnn_nottingham.LONG | {'data.name': 'piano_midi'})
    return default.with_variant(config, variant, tiny=vrnn_jsb.TINY)
