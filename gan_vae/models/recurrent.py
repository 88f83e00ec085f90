"""Networks of sequences: what is the same for all steps at once is apart from what one
step needs of the step before.

  (i, f, g, o) = W u_t + U h_{t-1},  c_t = s(f) c_{t-1} + s(i) tanh(g),
  h_t = s(o) tanh(c_t)

(LSTM: Hochreiter & Schmidhuber 1997; f begins with a bias of 1). W u_t is computed for
a whole sequence in one product, U h_{t-1} alone step by step.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax.nn import sigmoid, tanh

from gan_vae.objectives import bounds

RECURRENT = nn.initializers.orthogonal()


def lstm(carry, drive):
    """((h, c), W u_t + U h_{t-1} [..., 4 H]) -> (h, c) after the step."""
    i, f, g, o = jnp.split(drive, 4, -1)
    c = sigmoid(f + 1) * carry[1] + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def start(shape: tuple[int, ...], hidden: int):
    """(h, c) [*shape, hidden] before the first step."""
    return jnp.zeros((*shape, hidden)), jnp.zeros((*shape, hidden))


class Recurrent(nn.Module):
    """p(x_t | x_<t) by an LSTM of `hidden` units, and dense ReLU layers of `width`."""

    hidden: int
    width: int
    outputs: int

    def setup(self):
        self.of_x = nn.Dense(self.width)
        self.drive_x = nn.Dense(4 * self.hidden)
        self.recur = nn.Dense(4 * self.hidden, False, kernel_init=RECURRENT)
        self.emit_h = nn.Dense(self.width)
        self.out = nn.Dense(self.outputs)

    def read(self, x):
        """Inputs [..., D] -> what each adds to the next step's drive."""
        return self.drive_x(nn.relu(self.of_x(x)))

    def advance(self, carry, drive):
        return lstm(carry, drive + self.recur(carry[0]))

    def emit(self, h):
        """What an Emission takes, of the step after."""
        return self.out(nn.relu(self.emit_h(h)))

    def __call__(self, x):
        carry = self.advance(start(x.shape[:-1], self.hidden), self.read(x))
        return self.emit(carry[0])


class VRNN(nn.Module):
    """The networks of Chung et al. 2015, arXiv:1506.02216, with dense ReLU layers of
    `width`: features of x and of z, the prior, the posterior, what is emitted.

    The posterior's mean is the prior's and a difference: Fraccaro et al. 2016,
    arXiv:1605.07571 (Res_q).
    """

    hidden: int
    width: int
    latent_dim: int
    outputs: int

    def setup(self):
        self.of_x, self.of_z = nn.Dense(self.width), nn.Dense(self.width)
        self.drive_x = nn.Dense(4 * self.hidden)
        self.drive_z = nn.Dense(4 * self.hidden, False)
        self.recur = nn.Dense(4 * self.hidden, False, kernel_init=RECURRENT)
        self.prior_h, self.prior_out = self._head()
        self.posterior_h, self.posterior_out = self._head()
        self.posterior_x = nn.Dense(self.width, False)
        self.emit_h, self.emit_z = nn.Dense(self.width), nn.Dense(self.width, False)
        self.out = nn.Dense(self.outputs)

    def _head(self):
        return nn.Dense(self.width), nn.Dense(2 * self.latent_dim)

    def read(self, x):
        """Inputs [..., D] -> (what each adds to the next step's drive, and to the
        posterior of its own step)."""
        x = nn.relu(self.of_x(x))
        return self.drive_x(x), self.posterior_x(x)

    def code(self, z):
        """Features of z, for the emission of its step and for the next step."""
        return nn.relu(self.of_z(z))

    def advance(self, carry, drive, code):
        return lstm(carry, drive + self.drive_z(code) + self.recur(carry[0]))

    def prior(self, h):
        """Mean, log variance [..., Z] of p(z_t | h_t)."""
        return _gaussian(self.prior_out(nn.relu(self.prior_h(h))))

    def posterior(self, h, evidence, prior_mean):
        """Mean, log variance [..., Z] of q(z_t | h_t, x_t)."""
        given = nn.relu(self.posterior_h(h) + evidence)
        difference, log_variance = _gaussian(self.posterior_out(given))
        return prior_mean + difference, log_variance

    def emit(self, h, code):
        """What an Emission takes, of this step."""
        return self.out(nn.relu(self.emit_h(h) + self.emit_z(code)))

    def __call__(self, x):
        shape = x.shape[:-1]
        drive, evidence = self.read(x)
        code = self.code(jnp.zeros((*shape, self.latent_dim)))
        h, _ = self.advance(start(shape, self.hidden), drive, code)
        self.posterior(h, evidence, self.prior(h)[0])
        return self.emit(h, code)


def _gaussian(raw):
    mean, log_variance = jnp.split(raw, 2, -1)
    return mean, jnp.clip(log_variance, *bounds.LOG_VARIANCE)
