"""Do the same GAN in PyTorch and ours end at the same quality?

pip install -e '.[bench]'
python -m benchmarks.pytorch.gan_parity [--models=dcgan,sngan] [--seeds=3]
    [--out=runs/gan_parity] [--parts=check,train,report]
python -m benchmarks.steps --cpu_time --cases=dcgan_parity,sngan_parity

DCGAN (width 16, non-saturating) and SNGAN (residual, width 8, hinge) on the emoji at 32
pixels: the same networks, initial distributions, Adam, batches of 32, steps, averaged
weights and images, without augmentation; 1,000 samples of each seed as uint8 through
the same panel. The second command times these steps.

  check   our weights in PyTorch's networks: outputs in evaluation mode within 1e-4 of
          the largest, and losses of three whole steps of D and G; initial weights of
          equal size. Nothing is trained where this fails.
  train   each seed of each side; what is there is not done again
  report  the table, the rows of results/gan_parity.jsonl and the pictures

Within the spread: the mean of ours is at most one standard deviation of theirs (ddof
1, over seeds) from the mean of theirs. Two equal methods would miss this about one time
in three with 3 seeds: p, of Welch's t-test, is printed with it.

What differs: PyTorch's running variances are unbiased (1/511 larger at most), and its
power iteration ends on v where ours ends on u, half an iteration apart.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.rows import PICTURES, ROOT, append

SIDES = ('ours', 'torch')
STEPS = {'dcgan': 1600, 'sngan': 400}
CONFIGS = {'dcgan': 'dcgan_emoji', 'sngan': 'sngan_cifar'}
METRICS = ('swd', 'kid_random')
SAMPLES = 1000


def load(model: str, seed: int = 0):
    """The config of both sides."""
    from gan_vae import config as config_lib

    steps = STEPS[model]
    given = {
        'data.name': 'emoji',
        'data.categories': '',
        'data.flip': False,
        'data.batch_size': 32,
        'model.width': {'dcgan': 16, 'sngan': 8}[model],
        'method.augment': '',
        'method.critic_steps': 1,
        'method.ema_decay': 0.998,
        'optimizer.schedule': 'constant',
        'train.steps': steps,
        'train.seed': seed,
        'train.image_steps': steps,
        'train.checkpoint_steps': steps // 4,
        'train.keep_every_steps': 0,
        'eval.metrics': '',
    }
    texts = {key: str(value) for key, value in given.items()}
    return config_lib.load(str(ROOT / 'configs' / f'{CONFIGS[model]}.py'), texts)


def train_images(config) -> np.ndarray:
    from gan_vae import data

    return data.examples(config.data, config.data.split).images


def batches(images: np.ndarray, size: int, seed: int):
    """uint8 batches without end, each image once an epoch."""
    random, rows = np.random.default_rng(seed), np.zeros(0, int)
    while True:
        if len(rows) < size:
            rows = np.concatenate([rows, random.permutation(len(images))])
        yield images[rows[:size]]
        rows = rows[size:]


def train_torch(model: str, seed: int, file: Path):
    import torch

    from benchmarks.pytorch import gans
    from gan_vae.images import to_uint8

    config = load(model, seed)
    torch.manual_seed(seed)
    gan = gans.make(config)
    source = batches(train_images(config), config.data.batch_size, seed)
    shape = 2, config.data.batch_size, config.model.latent_dim
    for step in range(config.train.steps):
        real = gans.to_torch(next(source))
        losses = gans.train_step(gan, real, torch.randn(shape), step)
        if step % 100 == 99:
            print(f'{model} torch {seed}: step {step + 1}, losses {losses}', flush=True)
    np.save(file, to_uint8(gans.samples(gan, SAMPLES)))


def train_ours(model: str, seed: int, file: Path):
    from gan_vae.art import making
    from gan_vae.training import loop

    workdir = file.with_suffix('')
    if not loop.train(load(model, seed), workdir):
        sys.exit(1)  # stopped: the same command goes on
    from gan_vae.methods import sampling

    method, state, _ = making.load(workdir, None)
    np.save(file, sampling.draw(method, state, seed, SAMPLES, None))


def check(model: str):
    """Prints the errors; RuntimeError where the two sides are not the same GAN."""
    import jax
    import torch

    from benchmarks.pytorch import gans
    from gan_vae import config as config_lib
    from gan_vae import images as images_lib
    from gan_vae import methods
    from gan_vae.data.source import Spec
    from gan_vae.keys import keys_of
    from gan_vae.learning.settings import Learning
    from gan_vae.learning.state import named_leaves, step_key
    from gan_vae.methods import latents as latents_lib
    from gan_vae.methods.gan import networks as gan_networks

    config, size = load(model), 32
    spec = Spec(32, 32, 3)
    method = methods.make(config, spec)
    settings = config_lib.as_settings(config, 'model')
    prior = latents_lib.make(settings.latent_dim, settings.latent)
    networks = gan_networks.make(
        settings, prior, 'running', Learning.of(config), spec, None
    )
    state = jax.jit(method.init)(jax.random.key(0))
    variables = dict(state.variables)
    if 'spectral' in variables['discriminator']:
        found = singular_vectors(
            state.params['discriminator'], variables['discriminator']['spectral']
        )
        variables['discriminator'] = {'spectral': found}
    state = state.replace(variables=variables)
    torch.manual_seed(0)
    gan = gans.make(config)
    sides = {'generator': gan.generator, 'discriminator': gan.discriminator}

    def port(name, params, others):
        for collection in (params, *others.values()):
            gans.port(sides[name], named_leaves(collection))

    for name, network in sides.items():
        theirs = [p.detach().numpy().copy() for p in network.parameters()]
        port(name, state.params[name], variables[name])
        ours = [p.detach().numpy() for p in network.parameters()]
        for a, b in zip(ours, theirs, strict=True):
            within(f'{model} {name}, initial sizes', rms(a), rms(b), 5 / a.size**0.5)

    images = train_images(config)[: 3 * size].reshape(3, size, 32, 32, 3)
    z = np.random.default_rng(0).standard_normal((size, 128)).astype(np.float32)
    random = np.random.default_rng(1)

    def move(path, v):  # so that biases and statistics count as well
        if v.ndim > 1 or path[-1].key in 'uv':
            return v
        return v + np.float32(0.1) * random.standard_normal(v.shape, np.float32)

    moved = jax.tree_util.tree_map_with_path(
        move, {n: {'params': state.params[n], **variables[n]} for n in sides}
    )
    for name, network in sides.items():
        others = dict(moved[name])
        port(name, others.pop('params'), others)
        network.eval()
    with torch.inference_mode():
        generated = gan.generator(torch.from_numpy(z)).permute(0, 2, 3, 1).numpy()
        logits = gan.discriminator(gans.to_torch(images[0])).numpy()
    x = images_lib.from_uint8(images[0])
    ours = networks.generate_eval(moved['generator'], z)
    within(f'{model} G(z)', ours, generated, 1e-4)
    ours = networks.judge_eval(moved['discriminator'], x, None).logits
    within(f'{model} D(x)', ours, logits, 1e-4)

    for name, network in sides.items():
        port(name, state.params[name], variables[name])
        network.train()
    gan.average.load_state_dict(gan.generator.state_dict())
    step = jax.jit(method.train_step)
    for number, real in enumerate(images):
        latents = [
            prior.draw(keys_of(step_key(state, key), np.arange(size)))
            for key in ('z 0', 'generator z')
        ]
        state, metrics = step(state, {'image': images_lib.from_uint8(real)})
        found = gans.train_step(
            gan,
            gans.to_torch(real),
            torch.from_numpy(np.stack(latents)),
            number,
        )
        losses = [float(metrics[key]) for key in ('loss_d', 'loss_g')]
        within(f'{model} losses of step {number + 1}', losses, found, 1e-4)
    generated = gan.average.eval()(torch.from_numpy(z)).permute(0, 2, 3, 1).numpy()
    # running variances are biased here, unbiased there
    ours = method.latents.decode(state.weights(), z)
    within(f'{model} averaged G(z)', ours, generated, 1e-2)


def singular_vectors(params, spectral):
    """`spectral` with the exact vectors of the largest singular values, from which
    both orders of power iteration give the same."""
    import jax

    def vector(path, _):
        *where, name = (key.key for key in path)
        layer = params
        for key in where:
            layer = layer[key]
        kernel = np.asarray(layer['kernel'])
        v, _, u = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), False)
        return {'u': u[0], 'v': v[:, 0]}[name]

    return jax.tree_util.tree_map_with_path(vector, spectral)


def rms(values) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def within(what: str, ours, theirs, tolerance: float):
    """Difference over the largest of ours; RuntimeError above the tolerance."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    scale = max(np.abs(ours).max(), 1e-12)
    error = float(np.abs(ours - theirs).max() / scale)
    if not error <= tolerance:
        raise RuntimeError(f'{what}: error {error:.2g}, above {tolerance:.2g}')
    if 'initial' not in what:
        print(f'check  {what}: error {error:.1e}', flush=True)


def place(out: Path, model: str, side: str, seed: int) -> Path:
    """Where the samples of one run are."""
    return out / f'{model}_{STEPS[model]}_{side}_{seed}.npy'


def report(out: Path, models: list[str], seeds: int):
    from scipy import stats

    from gan_vae import data
    from gan_vae.devices.mesh import mesh_of
    from gan_vae.evaluation.panel import Panel, Pictures

    print('| model | side | ' + ' | '.join(METRICS) + ' |')
    print('| --- ' * (2 + len(METRICS)) + '|')
    for model in models:
        config = load(model)
        reference = Pictures('emoji train', data.examples(config.data, 'train'))
        panel = Panel(','.join(METRICS), reference, mesh_of(1, 32))
        cards = {
            side: [
                panel.measure(np.load(place(out, model, side, seed)), {})
                for seed in range(seeds)
            ]
            for side in SIDES
        }
        values = {
            s: {m: [c[m].value for c in cards[s]] for m in METRICS} for s in SIDES
        }
        for side in SIDES:
            row = {'case': model, 'side': side, 'steps': STEPS[model], 'data': 'emoji'}
            cells = []
            for metric, numbers in values[side].items():
                mean, spread = statistics.mean(numbers), statistics.stdev(numbers)
                row[metric] = {'seeds': numbers, 'mean': mean, 'deviation': spread}
                cells.append(f'{mean:.4g} ± {spread:.2g}')
                if side == 'ours':
                    row[metric] |= compared(numbers, values['torch'][metric], stats)
            print(f'| {model} | {side} | ' + ' | '.join(cells) + ' |')
            append('gan_parity', row)
        for metric in METRICS:
            pair = values['ours'][metric], values['torch'][metric]
            print(f'{model} {metric}: {compared(*pair, stats)}')
        picture(out, model, seeds)


def compared(ours: list[float], theirs: list[float], stats) -> dict:
    """How far the means lie apart, in deviations of theirs, and p of Welch's test."""
    apart = statistics.mean(ours) - statistics.mean(theirs)
    apart /= statistics.stdev(theirs)
    p = float(stats.ttest_ind(ours, theirs, equal_var=False).pvalue)
    return {'apart': round(apart, 2), 'within': abs(apart) <= 1, 'p': round(p, 3)}


def picture(out: Path, model: str, seeds: int, columns: int = 8):
    """The first samples of each seed, a row each: ours above, PyTorch's below."""
    from PIL import Image, ImageDraw

    from gan_vae import images

    bands = []
    for side, title in zip(SIDES, ('gan_vae', 'PyTorch'), strict=True):
        rows = [np.load(place(out, model, side, s))[:columns] for s in range(seeds)]
        band = images.grid(np.concatenate(rows), columns)
        strip = Image.new('RGB', (band.shape[1], 16), 'white')
        ImageDraw.Draw(strip).text((4, 2), f'{model}, {title}', fill='black')
        bands += [np.asarray(strip), band]
    images.save_png(PICTURES / f'gan_parity_{model}.png', np.concatenate(bands))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--models', default='dcgan,sngan')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--out', default='runs/gan_parity')
    parser.add_argument('--parts', default='check,train,report')
    parser.add_argument('--one', help=argparse.SUPPRESS)  # model:side:seed
    flags = parser.parse_args()
    out, models = Path(flags.out), flags.models.split(',')
    out.mkdir(parents=True, exist_ok=True)
    if flags.one:
        model, side, seed = flags.one.split(':')
        train = train_ours if side == 'ours' else train_torch
        return train(model, int(seed), place(out, model, side, int(seed)))
    parts = flags.parts.split(',')
    runs = [
        (model, side, seed)
        for seed in range(flags.seeds)
        for model in models
        for side in SIDES
        if not place(out, model, side, seed).exists()
    ]
    if 'check' in parts or ('train' in parts and runs):
        for model in models:
            check(model)
    if 'train' in parts:
        for model, side, seed in runs:
            one = f'--one={model}:{side}:{seed}'
            command = [sys.executable, '-m', 'benchmarks.pytorch.gan_parity', one]
            command.append(f'--out={out}')
            subprocess.run(command, check=True)
    if 'report' in parts:
        report(out, models, flags.seeds)


if __name__ == '__main__':
    main()
