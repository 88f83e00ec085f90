"""Networks of a VAE of whole drawings: a bidirectional encoder, and a decoder that sees
z at each step. Ha & Eck 2017, arXiv:1704.03477: here plain LSTMs, without layer
normalisation, and with a dense ReLU layer before and after the decoder's. What z
adds to each step begins at nothing, as in the beginning z is noise: with random weights
there the decoder stayed behind one without z by 0.2 nats a step.
"""

import jax.numpy as jnp
from flax import linen as nn

from gan_vae.models.recurrent import RECURRENT, lstm, start
from gan_vae.objectives import bounds

NOTHING = nn.initializers.zeros


class SketchVAE(nn.Module):
    """`width`: units of each direction of the encoder and of dense layers; `hidden`: of
    the decoder."""

    hidden: int
    width: int
    latent_dim: int
    outputs: int

    def setup(self):
        self.drive_on, self.drive_back = (nn.Dense(4 * self.width) for _ in range(2))
        self.recur_on, self.recur_back = (
            nn.Dense(4 * self.width, False, kernel_init=RECURRENT) for _ in range(2)
        )
        self.gaussian = nn.Dense(2 * self.latent_dim)
        self.begin = nn.Dense(2 * self.hidden)
        self.of_x = nn.Dense(self.width)
        self.drive_x = nn.Dense(4 * self.hidden)
        self.drive_z = nn.Dense(4 * self.hidden, False, kernel_init=NOTHING)
        self.recur = nn.Dense(4 * self.hidden, False, kernel_init=RECURRENT)
        self.emit_h = nn.Dense(self.width)
        self.emit_z = nn.Dense(self.width, False, kernel_init=NOTHING)
        self.out = nn.Dense(self.outputs)

    def read(self, x):
        """Inputs [..., I] -> what each adds to the encoder's drive, on and back."""
        return self.drive_on(x), self.drive_back(x)

    def look(self, carries, drives):
        """One step of both directions, each at its own place in the sequence."""
        on, back = carries
        return (
            lstm(on, drives[0] + self.recur_on(on[0])),
            lstm(back, drives[1] + self.recur_back(back[0])),
        )

    def posterior(self, on, back):
        """Mean, log variance [..., Z] of the last states of both directions."""
        raw = self.gaussian(jnp.concatenate([on, back], -1))
        mean, log_variance = jnp.split(raw, 2, -1)
        return mean, jnp.clip(log_variance, *bounds.LOG_VARIANCE)

    def started(self, z):
        """(h, c) of the decoder before the first step."""
        return tuple(jnp.split(jnp.tanh(self.begin(z)), 2, -1))

    def drive(self, x, z):
        """Inputs [..., I] of the step before, and z -> the decoder's drive."""
        return self.drive_x(nn.relu(self.of_x(x))) + self.drive_z(z)

    def advance(self, carry, drive):
        return lstm(carry, drive + self.recur(carry[0]))

    def emit(self, h, z):
        """What an Emission takes, of the step after."""
        return self.out(nn.relu(self.emit_h(h) + self.emit_z(z)))

    def __call__(self, x):
        drives, none = self.read(x), start(x.shape[:-1], self.width)
        (on, _), (back, _) = self.look((none, none), drives)
        z, _ = self.posterior(on, back)
        h, _ = self.advance(self.started(z), self.drive(x, z))
        return self.emit(h, z)
