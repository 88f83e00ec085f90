"""VAE of whole kanji: a latent says which, an LSTM draws it. Ha & Eck 2017,
arXiv:1704.03477 (sketch-rnn), made small.

python -m gan_vae.data.prepare sketch_kanji
python launch.py --config=configs/sketch_vae_kanji.py       one CPU core: 20 min
python launch.py --config=configs/sketch_vae_kanji.py:loose     its KL of a quarter

Theirs: a decoder of 512 units, an encoder of twice 256, layer normalisation, dropout,
a KL of weight 0.5 and at least 0.2 nats; no figure in these units. Ours:
docs/results/sequences.md.
"""

from configs import default, vrnn_jsb, vrnn_kanji


def get_config(variant=''):
    config = vrnn_jsb.get_config()
    default.update(config, vrnn_kanji.STROKES)
    default.use_method(config, 'sketch_vae')
    config.method.beta_begin = 0.5
    config.method.beta_warmup_steps = 500
    config.model.hidden = 312
    config.model.width = 96
    tiny = vrnn_jsb.TINY | {'data.name': 'toy_strokes'}
    loose = {'method.beta': 0.25, 'train.best_metric': '', 'train.patience': 0}
    return default.with_variant(config, variant, loose=loose, tiny=tiny)
