"""Variational recurrent network that draws kanji, stroke by stroke: Chung et al. 2015,
arXiv:1506.02216, with a mixture of Gaussians for the pen.

python -m gan_vae.data.prepare sketch_kanji
python launch.py --config=configs/vrnn_kanji.py         one CPU core: 22 min
python launch.py --config=configs/vrnn_kanji.py:lstm    without latents: the baseline
--config.data.name=sketch_sheep draws those; 2,500 steps: 29 min

Published: no figure in these units (nats a step, of whole offsets). Ours:
docs/results/sequences.md.
"""

from configs import default, vrnn_jsb


def get_config(variant=''):
    config = vrnn_jsb.get_config()
    default.update(config, STROKES)
    tiny = vrnn_jsb.TINY | {'data.name': 'toy_strokes'}
    # as many parameters
    lstm = vrnn_jsb.WITHOUT_LATENTS | {'model.hidden': 336}
    return default.with_variant(config, variant, lstm=lstm, tiny=tiny)


STROKES = {
    'data.name': 'sketch_kanji',
    'data.batch_size': 100,
    'data.stretch': 0.1,
    'model.hidden': 256,
    'model.latent_dim': 16,
    'method.mixtures': 20,
    'optimizer.clip_norm': 1000.0,
    'optimizer.schedule': 'cosine',
    'train.steps': 4000,
    'train.checkpoint_steps': 200,
    'train.image_steps': 500,
    'train.num_samples': 64,
    'eval.batch_size': 300,
}
