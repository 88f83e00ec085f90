"""What a run measures: for the loop, the command `evaluate` and sweeps alike."""

import jax
import numpy as np

from gan_vae import data
from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out, of_model, panel
from gan_vae.evaluation.panel import Panel, Pictures, of_classes, parse
from gan_vae.learning.optimizers import averaging_words
from gan_vae.methods import sampling


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
    averaged = program.method.evaluates == 'averaged'
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
    settled = program.method.settle(state.weights())
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
        'batch_statistics': config.method.get('sampling_statistics', 'running'),
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


def panel_of(reads, program, examples) -> panel.Panel | None:
    """What samples are measured by: what is missing for it is said before training."""
    of_samples, _ = divide(reads.eval.metrics)
    if not of_samples:
        return None
    seed, reference = reads.train.seed, reads.eval.reference
    classes = program.method.classes
    return make_panel(
        reads, program.mesh, of_samples, seed, examples, reference, classes
    )
