"""Does the same VAE in PyTorch reach the same bound?

pip install -e '.[bench]'
python -m benchmarks.pytorch.vae_parity [--seeds=2] [--steps=4690]

configs/vae_mnist.py (784-500-20-500-784, Bernoulli, dynamic binarisation, batches of
128, Adam) without averaged weights, on both sides with the same initial distribution
and the data in an order of each side's own. PyTorch's weights are measured in our
networks, by the same ELBO: one z for each of 10,000 test images, binarised once for
both. Before: with our weights, its loss of a batch is ours.
"""

import argparse
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.rows import ROOT, append
from gan_vae import config as config_lib
from gan_vae import data, methods
from gan_vae.data import augment
from gan_vae.data.source import Source
from gan_vae.keys import keys_of

LAYERS = {  # ours: theirs
    ('encoder', 'Dense_0'): 'hidden',
    ('encoder', 'Dense_1'): 'mean',
    ('encoder', 'Dense_2'): 'log_variance',
    ('decoder', 'Dense_0'): 'back',
    ('decoder', 'Dense_1'): 'logits',
}


class Vae(torch.nn.Module):
    def __init__(self, width=500, latent=20, pixels=784):
        super().__init__()
        sizes = {
            'hidden': (pixels, width),
            'mean': (width, latent),
            'log_variance': (width, latent),
            'back': (latent, width),
            'logits': (width, pixels),
        }
        for name, (fan_in, out) in sizes.items():
            layer = torch.nn.Linear(fan_in, out)
            deviation = fan_in**-0.5 / 0.87962566103423978  # of a normal cut at 2
            torch.nn.init.trunc_normal_(
                layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation
            )
            torch.nn.init.zeros_(layer.bias)
            self.add_module(name, layer)

    def loss(self, x, noise):
        """Mean over the batch of -ELBO, of x [B, 784] in {-1, 1}."""
        hidden = torch.relu(self.hidden(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + torch.exp(0.5 * log_variance) * noise
        logits = self.logits(torch.relu(self.back(z)))
        reconstruction = torch.nn.functional.softplus(-x * logits).sum(1)
        kl = 0.5 * (mean**2 + torch.exp(log_variance) - 1 - log_variance).sum(1)
        return (reconstruction + kl).mean()


def port(model: Vae, params) -> None:
    """Ours into theirs."""
    for (side, layer), name in LAYERS.items():
        leaf, twin = params[side][layer], getattr(model, name)
        with torch.no_grad():
            twin.weight.copy_(torch.tensor(np.array(leaf['kernel']).T))
            twin.bias.copy_(torch.tensor(np.array(leaf['bias'])))


def ported(model: Vae) -> dict:
    """Theirs as ours."""
    found = {'encoder': {}, 'decoder': {}, 'likelihood': {}}
    for (side, layer), name in LAYERS.items():
        twin = getattr(model, name)
        found[side][layer] = {
            'kernel': jnp.asarray(twin.weight.detach().numpy().T),
            'bias': jnp.asarray(twin.bias.detach().numpy()),
        }
    return found


def train_torch(config, examples, seed: int) -> tuple[dict, float]:
    torch.manual_seed(seed)
    model, optimizer = Vae(), config.optimizer
    learner = torch.optim.Adam(
        model.parameters(),
        lr=optimizer.learning_rate,
        betas=(optimizer.b1, optimizer.b2),
        eps=optimizer.eps,
    )
    grey = torch.tensor(examples.images.reshape(-1, 784)).float() / 255
    size, begin = config.data.batch_size, time.perf_counter()
    rows = torch.zeros(0, dtype=torch.long)
    for _ in range(config.train.steps):
        if len(rows) < size:
            rows = torch.cat([rows, torch.randperm(len(grey))])
        x = 2 * torch.bernoulli(grey[rows[:size]]) - 1
        rows = rows[size:]
        learner.zero_grad()
        model.loss(x, torch.randn(size, 20)).backward()
        learner.step()
    return ported(model), time.perf_counter() - begin


def train_ours(config, method, examples, seed: int) -> tuple[dict, float]:
    light = augment.make(False, 0, config.data.binarize)
    source = Source(examples, config.data.batch_size, seed=seed)
    state = jax.jit(method.init)(jax.random.key(seed))

    @jax.jit
    def step(state, images, number):
        keys = jax.random.fold_in(jax.random.key(seed), number)
        x = light(keys_of(keys, jnp.arange(len(images))), images)
        return method.train_step(state, {'image': x})[0]

    state = step(state, source.batch(0)['image'], 0)
    begin = time.perf_counter()
    for number in range(1, config.train.steps):
        state = step(state, source.batch(number)['image'], number)
    return jax.block_until_ready(state.params), time.perf_counter() - begin


def elbo(config, method, state, params, examples) -> float:
    light = augment.make(False, 0, config.data.binarize)
    weights, total = state.replace(params=params, ema=params).weights(), 0.0
    bound = jax.jit(method.density.elbo)
    for start in range(0, len(examples.images), 500):
        rows = np.arange(start, start + 500)
        x = light(keys_of(jax.random.key(0), rows), examples.images[rows])
        total += float(bound(weights, jax.random.key(start), x).sum())
    return total / len(examples.images)


def check(method, state) -> float:
    """The largest difference of the two losses of some images, relative."""
    rng, model = np.random.default_rng(0), Vae()
    port(model, state.params)
    x = np.where(rng.random((64, 28, 28, 1)) < 0.2, 1, -1).astype(np.float32)
    mean, log_variance = method.latents.posterior(state.weights(), jnp.asarray(x))
    noise = rng.standard_normal((64, 20)).astype(np.float32)
    coder = method.density.coder(state.weights())
    logits = coder.outputs(mean + jnp.exp(0.5 * log_variance) * noise)
    kl = 0.5 * jnp.sum(mean**2 + jnp.exp(log_variance) - 1 - log_variance, 1)
    ours = float(jnp.mean(jnp.sum(jax.nn.softplus(-x * logits), (1, 2, 3)) + kl))
    flat = torch.tensor(x.reshape(64, -1))
    theirs = float(model.loss(flat, torch.tensor(noise)).detach())
    return abs(ours / theirs - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', type=int, default=2)
    parser.add_argument('--steps', type=int, default=4690)
    flags = parser.parse_args()
    given = {'method.ema_decay': '0', 'train.steps': str(flags.steps)}
    config = config_lib.load(str(ROOT / 'configs' / 'vae_mnist.py'), given)
    examples = data.examples(config.data, 'train')
    test = data.examples(config.data, 'test')
    method = methods.make(config, examples.spec)
    state = jax.jit(method.init)(jax.random.key(0))
    difference = check(method, state)
    print(f'losses with the same weights differ by {difference:.1e}')
    if difference > 1e-5:
        sys.exit('the two networks are not the same')
    found: dict[str, list] = {'ours': [], 'torch': []}
    for seed in range(flags.seeds):
        for side in found:
            if side == 'ours':
                params, seconds = train_ours(config, method, examples, seed)
            else:
                params, seconds = train_torch(config, examples, seed)
            bound = elbo(config, method, state, params, test)
            found[side].append(bound)
            row = {'case': 'vae_mnist', 'side': side, 'seed': seed, 'elbo': bound}
            append('vae_parity', row | {'steps': flags.steps, 'seconds': seconds})
            print(f'{side} seed {seed}: ELBO {bound:.2f} nats, {seconds:.0f} s')
    apart = abs(statistics.mean(found['ours']) - statistics.mean(found['torch']))
    print(f'means {apart:.2f} nats apart')


if __name__ == '__main__':
    main()
