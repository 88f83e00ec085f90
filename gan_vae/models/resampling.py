"""Images twice as large or half as large, through the filter [1, 3, 3, 1] of StyleGAN2.

With * the convolution, and b = [1, 1], t = [1, 2, 1] / 4 along each axis,

    [1, 3, 3, 1] / 4 = b * t,

so that doubling is each pixel repeated 2x2 and then t, and halving is t and then means
over 2x2. With a 3x3 convolution k of many channels, b goes with k into one of 4x4 with
a stride of 2 (`convolutions.up_conv`, `conv_pool`), of which there is a fast form, and
t remains: nine additions for each number. On two cores, XLA:CPU's own convolution with
the 6x6 kernel k * [1, 3, 3, 1] and a dilated image takes 20 times longer.

Zeros lie outside. `up` and `down` are those of Karras et al. 2019, arXiv:1912.04958;
`up_conv` and `down_conv` differ from them in the outermost pixels alone, where theirs
filter what a 3x3 convolution would put outside of the image.
"""

import jax
import jax.numpy as jnp

from gan_vae.models import convolutions


@jax.custom_vjp
def blur(x):
    """t along both axes of images [B, H, W, C], which is its own transpose."""
    _, h, w, _ = x.shape
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))

    def at(i, j):
        return padded[:, i : i + h, j : j + w]

    def row(i):
        return at(i, 0) + 2 * at(i, 1) + at(i, 2)

    return (row(0) + 2 * row(1) + row(2)) / 16


# Without this rule, XLA would get a padding for each slice, and that twice with R1.
blur.defvjp(lambda x: (blur(x), None), lambda _, dy: (blur(dy),))


def up(x):
    """[B, H, W, C] -> [B, 2H, 2W, C]."""
    return blur(jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2))


def down(x):
    """[B, H, W, C] -> [B, H/2, W/2, C]."""
    b, h, w, c = x.shape
    return jnp.mean(blur(x).reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def up_conv(x, k):
    """`up` and a convolution with k [3, 3, I, O]: [B, H, W, I] -> [B, 2H, 2W, O]."""
    return blur(convolutions.up_conv(x, k, (1, 1)))


def down_conv(x, k):
    """A convolution with k [3, 3, I, O], and `down`: -> [B, H/2, W/2, O]."""
    return convolutions.conv_pool(blur(x), k, (1, 1))
