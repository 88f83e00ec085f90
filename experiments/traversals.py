"""What does each code of an InfoGAN do? A sheet of samples along each code.

python experiments/traversals.py RUN [--step=N] [--seed=0]

Writes RUN/traversals.png. First a row for each category: ten samples, with the noise of
each column the same in all rows. Then for each continuous code three rows, each of one
noise and category, along which the code goes from -1.5 to 1.5 (it was trained from -1
to 1).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

COLUMNS, ROWS = 10, 3


def latents(noise: np.ndarray, categories: int, continuous: int) -> np.ndarray:
    """[rows, COLUMNS, D] from noise [COLUMNS, D], the codes its last numbers."""
    start = noise.shape[1] - categories - continuous
    rows = []
    for k in range(categories):
        z = noise.copy()
        z[:, start:] = 0
        z[:, start + k] = 1
        rows.append(z)
    for code in range(continuous):
        for row in range(ROWS):
            z = np.repeat(noise[row : row + 1], COLUMNS, axis=0)
            z[:, start + categories :] = 0
            z[:, start + categories + code] = np.linspace(-1.5, 1.5, COLUMNS)
            rows.append(z)
    return np.stack(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('run')
    parser.add_argument('--step', type=int)
    parser.add_argument('--seed', type=int, default=0)
    flags = parser.parse_args()
    import jax

    from gan_vae import images
    from gan_vae.art import sample
    from gan_vae.training import run_folder

    model = run_folder.read_config(flags.run).model
    categories, continuous = model.code_categories, model.code_continuous
    if not categories + continuous:
        sys.exit(f'{flags.run} has no codes: it is not an InfoGAN')
    method, state, about = sample.load(flags.run, flags.step)
    noise = np.array(method.prior(jax.random.key(flags.seed), COLUMNS))
    z = latents(noise, categories, continuous)
    made = jax.jit(method.decode)(state, z.reshape(-1, z.shape[-1]))
    sheet = images.grid(images.to_uint8(made), COLUMNS)
    out = Path(flags.run) / 'traversals.png'
    images.save_png(out, sheet, about | {'seed': flags.seed})
    print(f'{out}: {categories} rows of categories, {ROWS} for each of {continuous}')


if __name__ == '__main__':
    main()
