"""Evaluation of a run folder: its objective on a split, and its metrics."""

import json
from pathlib import Path
from typing import Any

from gan_vae import data, images
from gan_vae.errors import UserError
from gan_vae.evaluation import plan
from gan_vae.evaluation.measures import Measures
from gan_vae.learning.state import abstract_state
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed
from gan_vae.runs.checkpoint import Checkpoints
from gan_vae.runs.program import build


def evaluate_run(
    workdir,
    split: str = '',
    metrics: str | None = None,
    num: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
) -> dict:
    """{name: {'value', 'protocol'} and, of samples, 'card'}; kept in evaluation.jsonl.

    split: of the objective, by default config.data.eval_split; metrics, num: of the
    samples, by default the config's; step: of the checkpoint, or 'best'; by default
    the newest.
    """
    if packed.is_packed(packed.find(workdir)):
        raise UserError(
            f'{workdir} is a packed model, without the state that is evaluated: sample '
            'it, and compare the samples by `gan_vae evaluate SAMPLES REFERENCE`'
        )
    config: Any = run_folder.read_config(workdir)
    text: str = config.eval.metrics if metrics is None else metrics
    words = run_folder.read_text(workdir)
    held_out = data.examples(config.data, split or config.data.eval_split, words)
    program = build(config, held_out.spec)
    train = None
    if plan.parse(text).of_samples or config.privacy.noise_multiplier:
        train = data.examples(config.data, config.data.split)
    measures = Measures(  # refuses what is missing before a checkpoint is read
        config,
        program,
        train,
        held_out,
        metrics=text,
        split=split,
        num=num,
        seed=seed,
    )
    checkpoints = Checkpoints(
        Path(workdir) / 'checkpoints',
        best=config.train.best_metric,
        read_only=True,
    )
    abstract = abstract_state(program.method.init, program.sharding)
    state = checkpoints.restore_step(abstract, step)
    results = measures.measure(state)
    sheets = {}
    if measures.panel and any(r.metric.sheet for r in measures.plan.of_samples):
        sheets = measures.panel.sheets(measures.samples(state)[0])
    about = measures.provenance(int(state.step))
    try:
        for name, sheet in sheets.items():
            images.save_png(Path(workdir) / f'{name}.png', sheet, about)
        with open(Path(workdir) / 'evaluation.jsonl', 'a') as file:
            file.write(json.dumps({'step': about['step'], 'metrics': results}) + '\n')
    except OSError as error:
        raise UserError(f'cannot write in {workdir}: {error.strerror}') from error
    return results
