"""A smaller, faster decoder that draws what a trained one draws of the same latents.

gan_vae export --workdir=pretrained:art_vae --to=jax --out=teacher
python launch.py --config=configs/distill.py --config.method.teacher=teacher
python -m gan_vae.art sample --workdir=runs/distill --num=16

configs/distill.py:RUN is for the decoder of another run folder or packed model: it
takes the data and the size of the latents of its config.
"""

from configs import default
from gan_vae.runs import folder, packed


def get_config(variant=''):
    config = default.get_config('distill')
    name = 'pretrained:art_vae' if variant in ('', 'tiny') else variant
    of_teacher = folder.read_config(packed.find(name))
    same = ('name', 'image_size', 'channels', 'background', 'categories', 'fit')
    for key in same:
        config.data[key] = of_teacher.data[key]
    config.model.latent_dim = of_teacher.model.latent_dim
    config.model.latent = of_teacher.model.get('latent', 'normal')
    config.method.conditional = of_teacher.method.get('conditional', False)
    config.method.teacher = 'teacher'
    config.data.batch_size = 32
    config.optimizer.learning_rate = 1e-3
    config.optimizer.schedule = 'cosine'
    config.eval.metrics = 'swd'
    config.train.steps = 4000
    config.train.image_steps = 500
    config.train.checkpoint_steps = 500
    if variant == 'tiny':
        config.method.teacher, config.method.conditional = 'toy', False
        return default.with_variant(config, variant)
    return config
