"""Variational recurrent network on the folk tunes of Nottingham.

python -m gan_vae.data.prepare nottingham
python launch.py --config=configs/vrnn_nottingham.py        one CPU core: 28 min

Published, nats a step of the test split: VRNN of Maddison et al. 2017,
arXiv:1705.09279, ELBO 3.00, FIVO 2.68 of 4 particles, 2.58 of 16; SRNN 2.94
(Fraccaro et al. 2016); LSTM 3.29, TCN 3.07 (Bai et al. 2018). Ours:
docs/results/sequences.md.
"""

from configs import default, vrnn_jsb


def get_config(variant=''):
    config = vrnn_jsb.get_config()
    default.update(config, LONG | {'data.name': 'nottingham'})
    return default.with_variant(config, variant, tiny=vrnn_jsb.TINY)


LONG = {  # of sets with long pieces: networks see 200 steps of them in training
    'data.segment_steps': 200,
    'data.batch_size': 32,
    'model.hidden': 256,
    'model.width': 256,
    'model.latent_dim': 64,
    'optimizer.clip_norm': 1000.0,
    'train.steps': 4000,
    'train.checkpoint_steps': 200,
    'train.image_steps': 1000,
}
