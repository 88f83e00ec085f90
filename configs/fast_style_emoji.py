"""One style for pictures of any size in one pass; contents: the embedded emoji.

python launch.py --config=configs/fast_style_emoji.py         a GPU: not run
python launch.py --config=configs/fast_style_emoji.py:small   one CPU core
    [--config.method.style=painting.jpg] [--config.data.name=folder:$HOME/photographs]
python -m gan_vae.art style photo.jpg --method=fast --workdir=RUN

Johnson et al. 2016, arXiv:1603.08155: 40,000 steps of 4 photographs of MS COCO at 256
pixels, VGG-16; no figure. Ours: maps of a network that was never trained
(--config.method.style_features=vgg_hed for one that was), and, so that it runs
anywhere, the mosaic of all emoji as the style.
"""

from configs import default


def get_config(variant=''):
    config = default.get_config('fast_style')
    config.data.name = 'emoji'
    config.data.batch_size = 8
    config.data.flip = True
    config.method.style = 'gan_vae/data/emoji/emoji.png'
    config.method.style_size = 512
    config.model.width = 32
    config.optimizer.learning_rate = 1e-3
    config.train.steps = 40_000
    small = {'model.width': 16, 'train.steps': 1000, 'train.image_steps': 200}
    return default.with_variant(config, variant, small=small)
