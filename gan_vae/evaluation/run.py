"""Evaluation of a run folder: its objective on a split, and its samples by a panel."""

import json
from pathlib import Path

from gan_vae import data, images
from gan_vae.errors import UserError
from gan_vae.evaluation import measures, of_model
from gan_vae.runs import folder as run_folder
from gan_vae.runs.checkpoint import Checkpoints, abstract_state
from gan_vae.runs.program import build


def evaluate_run(
    workdir,
    split: str = '',
    metrics: str | None = None,
    num: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
) -> dict:
    """{name: {'value', 'protocol'} and, for samples, 'card'}; kept in evaluation.jsonl.

    split: of the objective, by default config.data.eval_split; metrics, num: of the
    samples, by default the config's; step: of the checkpoint, or 'best'; by default
    the newest.
    """
    config = run_folder.read_config(workdir)
    metrics = config.eval.metrics if metrics is None else metrics
    of_samples, of_the_model = measures.divide(metrics)
    split = split or config.data.eval_split
    held = data.examples(config.data, split)
    program = build(config, held.spec)
    for name in of_the_model:
        of_model.check(name, program.method)
    abstract = abstract_state(program.method.init, program.sharding)
    checkpoints = Checkpoints(
        Path(workdir) / 'checkpoints',
        best=config.train.best_metric,
        read_only=True,
    )
    state = checkpoints.restore_step(abstract, step)
    step = int(state.step)
    about = measures.provenance(config, step, seed)
    panel, sheets = None, {}
    if of_samples:  # what it lacks is said before anything is measured
        train = data.examples(config.data, config.data.split)
        reference = config.eval.reference
        panel = measures.make_panel(
            config,
            program.mesh,
            of_samples,
            seed,
            train,
            reference,
            program.method.classes,
        )
        num = config.eval.num_samples if num is None else num
        settled = program.method.settle(state.weights())
        made, labels = measures.draw(program.method, settled, seed, num, train)
    results = measures.objective(config, program, state, held, split)
    results |= measures.model_results(config, program, state, held, split, of_the_model)
    if panel:
        results |= measures.of_cards(panel.measure(made, about, labels=labels))
        for metric, extractor in panel.asked:
            if metric == 'originality':
                sheets[f'originality_{extractor}'] = panel.closest(made, extractor)
    try:
        for name, sheet in sheets.items():
            images.save_png(Path(workdir) / f'{name}.png', sheet, about)
        with open(Path(workdir) / 'evaluation.jsonl', 'a') as file:
            file.write(json.dumps({'step': step, 'metrics': results}) + '\n')
    except OSError as error:
        raise UserError(f'cannot write in {workdir}: {error.strerror}') from error
    return results
