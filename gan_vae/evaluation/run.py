"""Evaluation of a run folder: its objective on a split, and its samples by a panel."""

import json
from pathlib import Path

import jax
import numpy as np

from gan_vae import data, images
from gan_vae.art import sample as sampling
from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out, of_model
from gan_vae.evaluation.panel import Panel, Pictures, of_classes, parse
from gan_vae.training import run_folder
from gan_vae.training.checkpoint import Checkpoints, abstract_state
from gan_vae.training.optimizers import averaging_words
from gan_vae.training.program import build


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
    of_samples, of_the_model = divide(metrics)
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
    about = provenance(config, step, seed)
    panel, sheets = None, {}
    if of_samples:  # what it lacks is said before anything is measured
        train = data.examples(config.data, config.data.split)
        reference = config.eval.reference
        panel = make_panel(
            config,
            program.mesh,
            of_samples,
            seed,
            train,
            reference,
            program.method.classes,
        )
        num = config.eval.num_samples if num is None else num
        settled = program.method.settled(state)
        made, labels = draw(program.method, settled, seed, num, train)
    results = objective(config, program, state, held, split)
    results |= model_results(config, program, state, held, split, of_the_model)
    if panel:
        results |= of_cards(panel.measure(made, about, labels=labels))
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


def divide(metrics: str) -> tuple[str, list[str]]:
    """Names of measures of samples (for a Panel), and of the model (for of_model)."""
    names = [name for name in map(str.strip, metrics.split(',')) if name]
    of_the_model = [name for name in names if of_model.is_one(name)]
    of_samples = ','.join(name for name in names if name not in of_the_model)
    parse(of_samples)
    return of_samples, of_the_model


def objective(config, program, state, held: Examples, split: str) -> dict:
    """The means of the method's own evaluate_step over a split."""
    values = held_out.evaluate(program, state, held, config.eval.batch_size)
    size, step = held.count, int(state.step)
    averaged = program.method.evaluates_averages
    protocol = held_out.protocol(config, split, size, step, averaged)
    mean = 'mean' if held.kind == 'images' else of_model.PER_STEP
    protocol = f'{mean} {protocol}'
    return {f'eval/{k}': {'value': v, 'protocol': protocol} for k, v in values.items()}


def model_results(
    config, program, state, held: Examples, split: str, names: list[str]
) -> dict:
    """The measures of the model on a split, by name."""
    size, step = held.count, int(state.step)
    protocol = held_out.protocol(config, split, size, step)
    settled = program.method.settled(state)
    measured = of_model.Held(config, program, settled, held)
    return {
        f'eval/{key}': {'value': value, 'protocol': f'{unit}; {protocol}'}
        for name in names
        for key, (value, unit) in of_model.measure(name, measured).items()
    }


def draw(
    method, state, seed: int, num: int, train: Examples
) -> tuple[np.ndarray, np.ndarray | None]:
    """uint8 samples [num, H, W, C] and their classes, as Panel.measure takes both.

    Classes are as frequent as in `train`: those of its rows, drawn with replacement.
    None for a method without classes.
    """
    sampling.check(seed, num)
    labels = None
    if method.classes:
        rows = np.random.Generator(np.random.Philox(seed)).integers(
            len(train.labels), size=num
        )
        labels = np.asarray(train.labels[rows], np.int32)
    return sampling.draw(method, state, seed, num, labels), labels


def make_panel(
    config,
    mesh: jax.sharding.Mesh,
    metrics: str,
    seed: int,
    train: Examples,
    reference: str,
    classes: int = 0,
) -> Panel:
    """The Panel of a run: against the split `reference`, where '' that of `train`.

    A UserError for measures that need classes, where the samples of `draw` lack them.
    """
    if (asked := of_classes(metrics)) and not classes:
        raise UserError(
            f'the samples of this run have no classes: leave {", ".join(asked)} out of '
            'the metrics, or score a folder of samples with a subfolder for each class '
            'by python -m gan_vae.evaluation'
        )

    def pictures(split):
        examples = train
        if split != config.data.split:
            examples = data.examples(config.data, split)
        return Pictures(f'{config.data.name} {split}', examples)

    split = reference or config.data.split
    held = None
    if 'originality' in metrics:
        if config.data.eval_split == split:
            raise UserError('originality needs data.eval_split outside eval.reference')
        held = pictures(config.data.eval_split)
    return Panel(metrics, pictures(split), mesh, held, train, seed)


def provenance(config, step: int, seed: int) -> dict:
    """What a card says of a run's samples."""
    return {
        'run': config.name,
        'step': step,
        'checkpoint': 'final' if step >= config.train.steps else 'earlier',
        'ema_decay': averaging_words(config.method),
        'batch_statistics': config.method.sampling_statistics,
        'seed': seed,
    }


def of_cards(cards: dict) -> dict:
    """Cards as the results that summary.json holds."""
    return {
        f'eval/{name}': {
            'value': card.value,
            'protocol': card.line(),
            'card': card.to_dict(),
        }
        for name, card in cards.items()
    }
