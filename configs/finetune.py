"""A trained model goes on with 10 to 300 pictures of your own. Adaptive augmentation of
few pictures: Karras et al. 2020, arXiv:2006.06676.

python launch.py --config=configs/finetune.py --config.data.name=folder:PATH
python launch.py --config=configs/finetune.py:RUN --config.data.name=folder:PATH

The first begins with pretrained:emoji_gan, the second with any run folder or packed
model, and has its networks. Of a GAN's run folder D is there too; its first layers stay
as they are (Freeze-D, Mo et al. 2020, arXiv:2002.10964) with
--config.optimizer.frozen=discriminator/Conv_0,discriminator/Conv_1

For 20 minutes, and on from there with the same command: timeout 20m python launch.py
"""

from configs import default
from gan_vae.runs import folder, packed


def get_config(variant=''):
    begin = 'pretrained:emoji_gan' if variant in ('', 'tiny') else variant
    config = folder.read_config(packed.find(begin))
    config.train = default.get_config(config.method.name).train
    config.train.init_from = begin
    config.data.name = 'folder:pictures'
    config.data.split = config.data.eval_split = 'all'
    config.data.categories = ''
    config.data.batch_size = 16
    config.eval.metrics = ''
    if 'ada' in config.method:
        config.method.augment = ''
        config.method.ada = 'flip,shift,brightness,contrast,hue,saturation'
        config.method.ada_images = 50_000.0
    config.train.steps = 2000
    config.train.image_steps = 100
    config.train.checkpoint_steps = 500
    same = {f'model.{k}': v for k, v in config.model.items()}
    if variant == 'tiny':
        return default.with_variant(config, variant, tiny=same)
    return config
