"""How long does a checkpoint hold the training up?

python -m benchmarks.checkpoints

A convolutional and a fully connected GAN of 30 M parameters, with Adam's moments and
the averaged weights. `held_s`: what the loop does at a save (check, hash, Orbax's copy)
before the next step can start; `written_s`: until the checkpoint is complete on disk;
`restore_s`: from disk to a state whose hash is compared. The share is of default.py's
interval.
"""

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.rows import ROOT, append

CASES = {'dcgan_emoji': 288, 'mlp_gan_mnist': 1024}  # config: width
STEPS, SAVES = 9, 3


def main():
    for name, width in CASES.items():
        measure(name, width)


def measure(name: str, width: int):
    """Appends a row for one config at a width that makes it 30 M parameters."""
    import jax

    from configs import default
    from gan_vae import config as config_lib
    from gan_vae import data
    from gan_vae.data.source import Source, Spec
    from gan_vae.devices import process
    from gan_vae.devices.mesh import put
    from gan_vae.learning.state import abstract_state, named_leaves, not_finite, sha256
    from gan_vae.runs.checkpoint import Checkpoints
    from gan_vae.runs.program import build

    process.prepare()
    interval = default.get_config().train.checkpoint_steps
    config = config_lib.load(
        str(ROOT / 'configs' / f'{name}.py'),
        {'model.width': str(width), 'data.name': 'toy_shapes', 'data.categories': ''},
    )
    size, channels = config.data.image_size, config.data.channels
    program = build(config, Spec(size, size, channels))
    sharding = program.sharding
    options = process.of_init()
    init = jax.jit(
        program.method.init, out_shardings=sharding, compiler_options=options
    )
    state = init(jax.random.key(0))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    examples = data.examples(config.data, 'train[:1024]')
    source = Source(examples, config.data.batch_size * program.method.batches_per_step)

    def train(state):
        begin = time.perf_counter()
        state, metrics = program.train_step(state, put(source.batch(0), program.mesh))
        jax.block_until_ready((state, metrics))
        return state, time.perf_counter() - begin

    state, _ = train(state)  # compiles
    steps, blocked, written = [], [], []
    folder = Path(tempfile.mkdtemp())
    try:
        checkpoints = Checkpoints(folder / 'checkpoints')
        for _ in range(SAVES):
            for _ in range(STEPS // SAVES):
                state, seconds = train(state)
                steps.append(seconds)
            begin = time.perf_counter()
            leaves = named_leaves(state)
            assert not_finite(leaves) is None
            checkpoints.save(state, {'state_sha256': sha256(leaves)})
            blocked.append(time.perf_counter() - begin)
            checkpoints.wait()
            written.append(time.perf_counter() - begin)
        checkpoints.close()
        size = sum(
            file.stat().st_size
            for file in (folder / 'checkpoints' / str(int(state.step))).rglob('*')
            if file.is_file()
        )
        reader = Checkpoints(folder / 'checkpoints')
        begin = time.perf_counter()
        assert reader.restore(abstract_state(program.method.init, sharding))
        restore = time.perf_counter() - begin
        reader.close()
    finally:
        shutil.rmtree(folder)
    step, stall = statistics.median(steps), statistics.median(blocked)
    row = {
        'case': f'{name}, width {width}',
        'parameters': parameters,
        'state_mb': round(sum(leaf.nbytes for leaf in leaves.values()) / 1e6),
        'checkpoint_mb': round(size / 1e6),
        'step_s': round(step, 3),
        'interval_steps': interval,
        'held_s': [round(value, 2) for value in blocked],
        'written_s': [round(value, 2) for value in written],
        'restore_s': round(restore, 2),
        'share': round(stall / (stall + interval * step), 5),
    }
    print(json.dumps(row, indent=2))
    append('checkpoints', row)


if __name__ == '__main__':
    main()
