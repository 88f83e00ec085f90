"""LSTM on the JSB Chorales: the baseline of configs/vrnn_jsb.py.

python -m gan_vae.data.prepare jsb_chorales
python launch.py --config=configs/lstm_jsb.py       one CPU core: 30 s

Published, nats a step of the test split: LSTM 8.45, GRU 8.43, RNN 8.91, TCN 8.10 (Bai
et al. 2018, arXiv:1803.01271). Ours: docs/results/sequences.md.
"""

from configs import default, vrnn_jsb


def get_config(variant=''):
    config = vrnn_jsb.get_config(variant)
    default.update(config, vrnn_jsb.WITHOUT_LATENTS)
    return config
