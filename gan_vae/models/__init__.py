"""Networks by role and name, imported only when asked for."""

from importlib import import_module

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.errors import UserError, unknown

NETWORKS = {  # file.Class, and fields of its that are True
    'generator': {
        'biggan': 'big.Generator',
        'dcgan': 'dcgan.Generator',
        'deep_conv': 'deep_conv.Generator',
        'infogan': 'infogan.Generator',
        'mlp': 'mlp.Generator',
        'resnet': 'resnet.Generator',
        'resnet_class': 'resnet.ConditionalGenerator',
        'sagan': 'resnet.ConditionalGenerator spectral attention',
        'vae_gan': 'vae_gan.Generator',
    },
    'discriminator': {
        'acgan': 'resnet.ClassifierDiscriminator spectral',
        'biggan': 'resnet.ProjectionDiscriminator spectral attention',
        'dcgan': 'dcgan.Discriminator',
        'deep_conv': 'deep_conv.Discriminator',
        'infogan': 'infogan.Discriminator',
        'mlp': 'mlp.Discriminator',
        'resnet': 'resnet.Discriminator',
        'sagan': 'resnet.ProjectionDiscriminator spectral attention',
        'sngan': 'resnet.Discriminator spectral',
        'sngan_projection': 'resnet.ProjectionDiscriminator spectral',
        'vae_gan': 'vae_gan.Discriminator',
    },
    'code_discriminator': {'mlp': 'mlp.CodeDiscriminator'},
    'encoder': {
        'conv': 'conv_vae.Encoder',
        'iwae': 'mlp.DeepEncoder',
        'linear': 'mlp.LinearEncoder',
        'mlp': 'mlp.Encoder',
        'study': 'study.Encoder',
        'vae_gan': 'vae_gan.Encoder',
    },
    'decoder': {
        'conv': 'conv_vae.Decoder',
        'iwae': 'mlp.DeepDecoder',
        'linear': 'mlp.LinearDecoder',
        'mlp': 'mlp.Decoder',
        'study': 'study.Decoder',
    },
    'transform': {'johnson': 'transform.Transform'},
    'hierarchy': {'stack': 'mlp.Stack', 'vdvae': 'vdvae.VDVAE'},
}


def check(role: str, name: str, key: str):
    """A UserError unless there is such a network for the role."""
    if name not in NETWORKS[role]:
        raise unknown(key, name, NETWORKS[role])


def fields_of(role: str, name: str) -> tuple[str, ...]:
    path, *flags = NETWORKS[role][name].split()
    file, _, cls = path.partition('.')
    network = getattr(import_module(f'gan_vae.models.{file}'), cls)
    return tuple(network.__dataclass_fields__)


def make(role: str, name: str, **fields) -> nn.Module:
    """The network `name` for `role`, with those of `fields` that it has.

    Its `dtype` is that of its convolutions, dense layers and activations; parameters,
    batch statistics and what it returns are float32 all the same.
    """
    if name not in NETWORKS[role]:
        raise unknown(f'{role} in config.model.{role}', name, NETWORKS[role])
    path, *flags = NETWORKS[role][name].split()
    file, _, cls = path.partition('.')
    network = getattr(import_module(f'gan_vae.models.{file}'), cls)
    dtype = fields.get('dtype', jnp.float32)
    if dtype != jnp.float32 and 'dtype' not in network.__dataclass_fields__:
        raise UserError(
            f'config.parallel.dtype={dtype}: the {role} {name!r} computes in float32'
        )
    known = {k: v for k, v in fields.items() if k in network.__dataclass_fields__}
    return network(**known | dict.fromkeys(flags, True))
