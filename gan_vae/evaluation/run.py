"""Evaluation of a run folder: its objective on a split, and its metrics."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from gan_vae import data, images
from gan_vae.errors import UserError
from gan_vae.evaluation import plan
from gan_vae.evaluation.measures import Measures
from gan_vae.learning.state import Weights, abstract_state
from gan_vae.runs import folder as run_folder
from gan_vae.runs import opened, packed
from gan_vae.runs.checkpoint import Checkpoints
from gan_vae.runs.program import build


class Packed(NamedTuple):
    """What is measured of a packed model, in place of a state."""

    step: int
    averaged: Weights

    def weights(self) -> Weights:
        return self.averaged


def evaluate_run(
    workdir,
    split: str = '',
    metrics: str | None = None,
    num: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
) -> dict:
    """{name: {'value', 'protocol'} and, of samples, 'card'}; kept in evaluation.jsonl.

    Of a packed model the metrics alone, and nothing is kept.

    split: of the objective, by default config.data.eval_split; metrics, num: of the
    samples, by default the config's; step: of the checkpoint, or 'best'; by default
    the newest.
    """
    place = packed.find(workdir)
    config: Any = run_folder.read_config(place)
    text: str = config.eval.metrics if metrics is None else metrics
    requests = plan.parse(text)
    if (is_packed := packed.is_packed(place)) and not requests:
        raise UserError(
            f'{workdir} is a packed model, without the state of its objective: say '
            'what to measure, as --metrics=swd,membership'
        )
    words = run_folder.read_text(place)
    held_out = data.examples(config.data, split or config.data.eval_split, words)
    program = build(config, held_out.spec)
    train = None
    if requests.of_samples or config.privacy.noise_multiplier:
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
        name='' if is_packed else Path(workdir).resolve().name,
    )
    if is_packed:
        model = opened.load(workdir, step)
        trained = Packed(model.record['step'], model.weights)
        return measures.measure(trained, objective=False)
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
