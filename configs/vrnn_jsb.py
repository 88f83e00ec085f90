r"""Variational recurrent network on the JSB Chorales. Chung et al. 2015,
arXiv:1506.02216; the residual posterior of Fraccaro et al. 2016, arXiv:1605.07571.

python -m gan_vae.data.prepare jsb_chorales
python launch.py --config=configs/vrnn_jsb.py       one CPU core: 1 to 2 min
python launch.py --mode=evaluate --workdir=runs/vrnn_jsb --step=best --split=test \
    --metrics=iwae_16,fivo_16,fivo_128

Published, nats a step of the test split: DMM 6.87 (ELBO; Krishnan et al. 2017 by
Pyro); VRNN of Maddison et al. 2017, arXiv:1705.09279, ELBO 8.60, FIVO 6.90 of 4
particles, 6.72 of 16. Ours: docs/results/sequences.md.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('vrnn')
    config.data.name = 'jsb_chorales'
    config.data.eval_split = 'validation'
    config.data.batch_size = 16
    config.method.beta_begin = 0.2
    config.method.beta_warmup_steps = 400
    config.method.ema_decay = 0.0
    config.model.width = 128
    config.model.latent_dim = 32
    config.optimizer.learning_rate = 1e-3
    config.train.steps = 1500
    config.train.log_steps = 50
    config.train.image_steps = 250
    config.train.num_samples = 16
    config.train.checkpoint_steps = 50
    config.train.keep_latest = 1
    config.train.best_metric = 'max:eval/elbo'
    config.train.patience = 5
    config.eval.batch_size = 80
    config.eval.metrics = ''
    return default.with_variant(config, variant, tiny=TINY)


TINY = {
    'data.name': 'toy_rolls',
    'data.segment_steps': 0,
    'model.hidden': 8,
    'method.sample_steps': 12,
}
WITHOUT_LATENTS = {
    'method.name': 'recurrent',
    'train.best_metric': 'max:eval/log_prob',
}
