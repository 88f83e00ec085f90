"""Generative adversarial networks: settings."""

from dataclasses import dataclass

from gan_vae.config.fields import (
    choice,
    declared,
    network,
    number,
    several,
    switch,
    text,
)
from gan_vae.errors import UserError
from gan_vae.learning.settings import Averaging

KIND = 'images'


@dataclass(frozen=True)
class Pair:
    """The networks of a game, for the section `model`."""

    generator: str = network('dcgan', 'generator', 'G')
    discriminator: str = network('dcgan', 'discriminator', 'D')
    width: int = number(
        64, 'channels (units) of the layer next to the image', least=1, of_networks=True
    )
    dropout: float = number(
        0.0, 'share of units D drops', least=0, below=1, of_networks='discriminator'
    )
    latent_dim: int = number(128, 'numbers of a latent z', least=1)


@dataclass(frozen=True)
class Judge:
    """The D of a duel (duel.py), for the section `model`."""

    discriminator: str = network('patch_spectral', 'discriminator', 'D')
    discriminator_width: int = number(64, 'channels of D next to the image', least=1)
    discriminator_halvings: int = number(
        2, 'of the image by D: 1, 2, 3 see patches of 16, 34, 70 pixels', least=1
    )


@dataclass(frozen=True)
class Networks(Pair):
    """Section `model`."""

    latent: str = choice('normal', 'normal', 'uniform', says='N(0, 1) or U(-1, 1)')
    code_categories: int = number(
        0, 'InfoGAN: values of a code that is one of so many', least=0
    )
    code_continuous: int = number(0, 'InfoGAN: codes of U(-1, 1)', least=0)
    channel_max: int = number(
        512,
        'channels of a layer: width, doubled at each halving, is at most this',
        least=1,
        of_networks=True,
    )
    widths: str = text(
        '',
        "R3GAN: channels at 4, 8, ... pixels, as '512,256,64,32'; '' is width at each",
        of_networks=True,
    )
    blocks: int = number(
        2, 'R3GAN: residual blocks at each resolution', least=1, of_networks=True
    )
    group: int = number(
        16, 'R3GAN: channels of a group of the 3x3', least=1, of_networks=True
    )
    projection_size: int = number(
        224,
        'Projected GAN: pixels that the frozen network of D sees',
        least=32,
        of_networks='discriminator',
    )
    style_dim: int = number(
        512, 'numbers of a style w', least=1, of_networks='generator'
    )
    mapping_layers: int = number(
        8, 'dense layers from z to w', least=0, of_networks='generator'
    )
    style_mixing: float = number(
        0.9,
        'share of updates of G and of D in which layers have the styles of two z',
        least=0,
        below=1,
        of_networks='generator',
    )
    class_layers: int = number(
        8,
        'dense layers from the class to what D compares with',
        least=0,
        of_networks='discriminator',
    )
    stddev_group: int = number(
        4, 'images whose deviation D sees', least=1, of_networks='discriminator'
    )

    def check(self):
        """What concerns no single range."""
        if self.code_categories == 1:
            raise UserError(
                'config.model.code_categories=1: a code of one category says nothing, '
                'take 0 or at least 2'
            )


@dataclass(frozen=True)
class Images:
    """What D sees, and how BatchNorm computes samples, for the section `method`."""

    sampling_statistics: str = choice(
        'running',
        *('running', 'batch', 'standing'),
        says='of BatchNorm in samples: running means, those of the batch that is '
        'sampled together, or means over 16 batches of latents, computed anew',
        resumable=True,
    )
    augment: str = several(
        '',
        *declared('gan_vae.objectives.augment', 'AUGMENTATIONS'),
        says='DiffAugment of all that D sees',
    )


@dataclass(frozen=True)
class Settings(Averaging, Images):
    """Section `method`."""

    loss: str = choice(
        'non_saturating',
        *declared('gan_vae.objectives.adversarial', 'LOSSES'),
        says='the pair of losses',
        own=True,
    )
    critic_steps: int = number(1, 'D updates per G update', least=1)
    penalty: str = choice(
        '',
        *('', *declared('gan_vae.methods.gan.terms.gradient_penalty', 'PENALTIES')),
        says="on the gradient of D(T(x)) in images x, T their augmentation; '' is none",
    )
    penalty_lambda: float = number(
        10.0,
        'weight of wgan_gp and dragan: lambda E (|grad D| - 1)^2; of ma_gp: lambda E '
        '|grad D|^6',
        least=0,
    )
    penalty_gamma: float = number(
        10.0, 'weight of r1, r2 and r1_r2: gamma / 2 E |grad D|^2', least=0
    )
    penalty_gamma_end: float = number(
        -1.0,
        "penalty_gamma at the end of the optimizer's schedule, half a cosine away; -1 "
        'is penalty_gamma',
        least=-1,
    )
    penalty_interval: int = number(
        1, 'every so many D updates, and as much heavier', least=1
    )
    wrong_pairs: float = number(
        0.0,
        "share of real images with the caption or class of another in D's loss of what "
        'is not real',
        least=0,
        below=1,
    )
    path_length_weight: float = number(
        0.0, "StyleGAN2: of the lengths of G's gradients in styles; 0 is off", least=0
    )
    path_length_interval: int = number(
        4, 'every so many G updates, and as much heavier', least=1
    )
    path_length_decay: float = number(
        0.01, 'share of a batch in the mean of lengths', least=0, below=1
    )
    ada: str = several(
        '',
        *declared('gan_vae.objectives.adaptive', 'TRANSFORMS'),
        says='what all that D sees is augmented by, each with the probability p',
    )
    ada_p: float = number(0.0, 'p at the start', least=0, below=1)
    ada_p_end: float = number(
        -1.0,
        "p at the end of the optimizer's schedule, half a cosine from ada_p; -1: p "
        'moves by what D says',
        least=-1,
        below=1,
    )
    ada_images: float = number(
        500_000.0, 'in which p moves by 1 at most; 0: p stays', least=0
    )
    ada_target: float = number(
        0.6, "of the mean sign of D's logits of real images", least=-1, below=1
    )
    ada_interval: int = number(4, 'D updates from each change of p on', least=1)
    ada_most: float = number(
        0.8, 'of p: at 1 an augmentation shows in samples', least=0, below=1
    )
    clip_weights: float = number(
        0.0, "all of D's parameters into +- this; 0 is off", least=0
    )
    consistency: str = several(
        '',
        *declared('gan_vae.methods.gan.terms.consistency', 'CONSISTENCIES'),
        says='of D under small changes',
    )
    consistency_weight: float = number(10.0, 'of cr and bcr', least=0)
    zcr_noise: float = number(0.05, 'deviation of the change of latents', least=0)
    zcr_discriminator_weight: float = number(
        5.0, 'of D being alike at both latents', least=0
    )
    zcr_generator_weight: float = number(
        0.5, 'of G being different at both latents', least=0
    )
    lecam_weight: float = number(0.0, 'LeCam regularisation; 0 is off', least=0)
    lecam_decay: float = number(
        0.99, "of the moving means of D's logits, once a D update", least=0, below=1
    )
    lecam_start_step: int = number(1000, 'until then, its weight is 0', least=0)
    orthogonal_weight: float = number(
        0.0, "off-diagonal W^T W of G's kernels; 0 is off", least=0
    )
    correspondence_weight: float = number(
        0.0,
        'of samples being as far apart as those of config.train.init_from; 0 is off',
        least=0,
    )
    reconstruction_weight: float = number(
        8.0, 'FastGAN: of the mean square by which D reconstructs reals', least=0
    )
    class_weight: float = number(1.0, 'ACGAN: of the auxiliary class', least=0)
    class_of_fake: bool = switch(True, 'ACGAN: D learns the class of fakes too')
    category_weight: float = number(
        1.0, 'InfoGAN: of the information in the category', least=0
    )
    continuous_weight: float = number(
        1.0, 'InfoGAN: of the information in the continuous codes', least=0
    )

    def check_training(self, train):
        """Raises a UserError where there is no run to keep to."""
        if self.correspondence_weight and not train.init_from:
            raise UserError(
                f'config.method.correspondence_weight={self.correspondence_weight:g}: '
                'give the run whose samples it keeps to by config.train.init_from'
            )
