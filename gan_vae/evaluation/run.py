"""Evaluation of a run folder on a split, with the averaged weights of its last step."""

from pathlib import Path

from gan_vae import data
from gan_vae.data.source import Spec
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out
from gan_vae.training import run_folder
from gan_vae.training.checkpoint import Checkpoints, abstract_state
from gan_vae.training.program import build
from gan_vae.training.step import replicated


def evaluate_run(workdir, split: str = '') -> dict:
    """{name: {'value', 'protocol'}} on `split`, by default config.data.eval_split."""
    config = run_folder.read_config(workdir)
    split = split or config.data.eval_split
    examples = data.examples(config.data, split)
    program = build(config, Spec(*examples.images.shape[1:], examples.class_names))
    abstract = abstract_state(program.method.init, replicated(program.mesh))
    found = Checkpoints(Path(workdir) / 'checkpoints', read_only=True).restore(abstract)
    if found is None:
        raise UserError(f'{workdir} has no checkpoints yet')
    state, _ = found
    values = held_out.evaluate(program, state, examples, config.eval.batch_size)
    protocol = held_out.protocol(config, split, len(examples.images), int(state.step))
    return {f'eval/{k}': {'value': v, 'protocol': protocol} for k, v in values.items()}
