"""Does a regulariser help a GAN to find all eight modes of a ring of Gaussians?

python -m benchmarks.quality.gaussian_ring [--steps=3000] [--seeds=3]

The ring of Lin et al. 2017, arXiv:1712.04086 (PacGAN): eight Gaussians of deviation .01
on the unit circle. A sample is of high quality within three deviations of a mode, and a
mode is found if a sample of high quality is nearest to it; 2,500 samples. Networks of
three layers of 128 units, z of N(0, I_2), Adam with rate 1e-3 and (.5, .999), batches
of 128, equal steps for each: not the paper's networks nor its 400,000 steps, so its
table is no target. Losses and penalties are the project's own.
"""

import argparse
import functools
import statistics
import time

import jax
import jax.numpy as jnp
import optax

from benchmarks.rows import append
from gan_vae.objectives import adversarial, penalties

MODES, DEVIATION, BATCH, SAMPLES, WIDTH = 8, 0.01, 128, 2500, 128
CASES = {
    'non_saturating': ('non_saturating', None),
    'non_saturating + r1, gamma .1': ('non_saturating', 0.1),
    'non_saturating + r1, gamma 1': ('non_saturating', 1.0),
    'wasserstein + wgan_gp, lambda 1': ('wasserstein', 'wgan_gp'),
    'relativistic': ('relativistic', None),
    'relativistic + r1 + r2, gamma .1': ('relativistic', 'r1_r2'),
}


def centres():
    angles = 2 * jnp.pi * jnp.arange(MODES) / MODES
    return jnp.stack([jnp.cos(angles), jnp.sin(angles)], -1)


def ring(key, n: int):
    """Samples [n, 2]."""
    mode, noise = jax.random.split(key)
    modes = jax.random.randint(mode, (n,), 0, MODES)
    return centres()[modes] + DEVIATION * jax.random.normal(noise, (n, 2))


def layers(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    he = jax.nn.initializers.he_normal()
    return [
        (he(k, (i, o)), jnp.zeros(o))
        for k, i, o in zip(keys, sizes, sizes[1:], strict=False)
    ]


def network(params, x):
    for w, b in params[:-1]:
        x = jax.nn.leaky_relu(x @ w + b, 0.2)
    w, b = params[-1]
    return x @ w + b


def penalty(kind, logits, real, fake, key):
    if kind is None:
        return 0.0
    if kind == 'wgan_gp':
        mix = jax.random.uniform(key, (len(real),))
        return penalties.wgan_gp(logits, real, fake, mix, 1.0)
    if kind == 'r1_r2':
        return penalties.r1(logits, real, 0.1) + penalties.r2(logits, fake, 0.1)
    return penalties.r1(logits, real, kind)


@functools.partial(jax.jit, static_argnums=(0, 1))
def train(case: str, steps: int, key):
    """Samples [SAMPLES, 2] of the last generator."""
    name, kind = CASES[case]
    loss, optimizer = adversarial.LOSSES[name], optax.adam(1e-3, b1=0.5)
    key_g, key_d, key_run = jax.random.split(key, 3)
    g = layers(key_g, [2, WIDTH, WIDTH, WIDTH, 2])
    d = layers(key_d, [2, WIDTH, WIDTH, WIDTH, 1])

    def judge(d, x):
        return network(d, x)[:, 0]

    def step(i, state):
        g, d, of_g, of_d = state
        keys = jax.random.split(jax.random.fold_in(key_run, i), 5)
        real, z = ring(keys[0], BATCH), jax.random.normal(keys[1], (BATCH, 2))
        fake = network(g, z)

        def loss_d(d):
            def logits(x):
                return judge(d, x)

            value = loss.discriminator(logits(real), logits(fake))
            return value + penalty(kind, logits, real, fake, keys[2])

        updates, of_d = optimizer.update(jax.grad(loss_d)(d), of_d)
        d = optax.apply_updates(d, updates)
        z, other = jax.random.normal(keys[3], (BATCH, 2)), ring(keys[4], BATCH)

        def loss_g(g):
            return loss.generator(judge(d, network(g, z)), judge(d, other))

        updates, of_g = optimizer.update(jax.grad(loss_g)(g), of_g)
        return optax.apply_updates(g, updates), d, of_g, of_d

    start = (g, d, optimizer.init(g), optimizer.init(d))
    g = jax.lax.fori_loop(0, steps, step, start)[0]
    return network(
        g, jax.random.normal(jax.random.fold_in(key_run, steps), (SAMPLES, 2))
    )


def quality(samples) -> tuple[int, float]:
    """(modes found, share of samples of high quality)."""
    distances = jnp.linalg.norm(samples[:, None] - centres(), axis=-1)
    high = distances.min(1) < 3 * DEVIATION
    found = jnp.bincount(jnp.where(high, distances.argmin(1), MODES), length=MODES + 1)
    return int((found[:MODES] > 0).sum()), float(high.mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=3000)
    parser.add_argument('--seeds', type=int, default=3)
    flags = parser.parse_args()
    real = quality(ring(jax.random.key(10**6), SAMPLES))
    print(f'real samples: {real[0]} modes, {100 * real[1]:.1f} % of high quality')
    print(f'{"case":36} modes of {MODES}    high quality, %    seconds a run')
    for case in CASES:
        start = time.perf_counter()
        found = [
            quality(train(case, flags.steps, jax.random.key(seed)))
            for seed in range(flags.seeds)
        ]
        seconds = (time.perf_counter() - start) / flags.seeds
        modes, high = zip(*found, strict=True)
        row = {
            'case': case,
            'ours': {
                'modes': statistics.mean(modes),
                'high_quality': statistics.mean(high),
            },
            'of_each_seed': {'modes': modes, 'high_quality': high},
            'seeds': flags.seeds,
            'steps': flags.steps,
            'data': f'ring of {MODES} Gaussians, deviation {DEVIATION}',
            'seconds_a_run': round(seconds, 1),
        }
        each = ' '.join(str(m) for m in modes)
        share = ' '.join(f'{100 * h:5.1f}' for h in high)
        print(f'{case:36} {each:14} {share:20} {seconds:8.1f}', flush=True)
        append('gaussian_ring', row)


if __name__ == '__main__':
    main()
