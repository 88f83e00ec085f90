"""What a run measures: for the loop, the command `evaluate` and sweeps alike.

names(config, program, held_out)            before anything is computed or compiled
measures = Measures(config, program, train, held_out)      refuses what is missing
measures.measure(state, due)                {name: Result}, at a step
"""

from typing import Any

import jax
import numpy as np

from gan_vae import data, models
from gan_vae.data.source import Examples
from gan_vae.errors import UserError
from gan_vae.evaluation import held_out as averages
from gan_vae.evaluation import plan, trained_model
from gan_vae.evaluation.metrics import ModelMetric, SampleMetric
from gan_vae.evaluation.panel import Panel, Pictures
from gan_vae.evaluation.plan import Plan
from gan_vae.learning import privacy
from gan_vae.learning.optimizers import averaging_words
from gan_vae.methods import sampling
from gan_vae.methods.contract import required

Result = dict[str, Any]  # 'value', 'protocol' and, of samples, 'card': as in summary


def names(config, program, held_out: Examples) -> list[str]:
    """'eval/NAME' of all results of config.eval, found without computing.

    A UserError for metrics that do not exist, and those that the method cannot have.
    """
    requests = _checked(plan.parse(config.eval.metrics), config, program)
    state = jax.eval_shape(program.method.init, jax.random.key(0))
    objective = averages.names(program, state, held_out, config.eval.batch_size)
    return [f'eval/{name}' for name in [*objective, *requests.results]]


def _checked(requests: Plan, config, program) -> Plan:
    for request in requests.of_model:
        trained_model.check(request, program.method)
        if request.metric.check:
            request.metric.check(config)
    for request in requests.of_samples:
        required(program.method, 'generate', f'the metric {request.name!r}')
    return requests


class Measures:
    """The measures of one run, on its held-out split and against its reference."""

    def __init__(
        self,
        config,
        program,
        train: Examples | None,
        held_out: Examples,
        *,
        metrics: str | None = None,
        split: str = '',
        num: int | None = None,
        seed: int | None = None,
        name: str = '',
    ):
        """train, held_out: the splits config.data.split, and `split` (by default
        config.data.eval_split); train may be None where no samples are measured
        and config.privacy is off.

        metrics, num, seed, name (of the run, in cards): by default config.eval.metrics,
        config.eval.num_samples, config.train.seed, config.name. A UserError for
        whatever the metrics lack.
        """
        self.config, self.program = config, program
        self.train, self.held_out = train, held_out
        self.name = name or config.name
        self.split = split or config.data.eval_split
        self.batch_size = config.eval.batch_size
        self.num = config.eval.num_samples if num is None else num
        self.seed = config.train.seed if seed is None else seed
        text = config.eval.metrics if metrics is None else metrics
        self.plan = _checked(plan.parse(text), config, program).sized(self.num)
        self.account = None
        if train is not None:
            updates = program.method.batches_per_step
            self.account = privacy.Account.of(config, train.size, updates)
        self.panel = self._panel(self.plan.of_samples)

    def due(self, step: int, evaluation: bool, best: str = '') -> Plan:
        """What to measure at a step: see Plan.due. best: as 'eval/swd'."""
        return self.plan.due(step, evaluation, best.removeprefix('eval/'))

    def measure(
        self, state, due: Plan | None = None, objective: bool = True
    ) -> dict[str, Result]:
        """{'eval/NAME': result}, of all metrics or of those that are due.

        objective: the means of the method's own evaluate_step, too.
        """
        due = self.plan if due is None else due
        results = self._objective(state) if objective else {}
        if objective and self.account:
            results['eval/epsilon'] = self._epsilon(self.account, int(state.step))
        if due.of_model:
            results |= self._of_model(state, due.of_model)
        if due.of_samples and self.panel:
            samples, labels = self.samples(state, due)
            about = self.provenance(int(state.step))
            # One draw serves all: sample i does not depend on how many there are.
            cards = self.panel.measure(
                samples, about, labels=labels, due=due.of_samples
            )
            results |= {
                f'eval/{name}': {
                    'value': card.value,
                    'protocol': card.line(),
                    'card': card.to_dict(),
                }
                for name, card in cards.items()
            }
        return results

    def samples(
        self, state, due: Plan | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """uint8 samples [num, H, W, C] and their classes, as Panel.measure takes both.

        num: the most that a metric that is due takes. Classes are as frequent as in
        `train`: those of its rows, drawn with replacement. None for a method without
        classes.
        """
        due = self.plan if due is None else due
        num = max(request.num for request in due.of_samples)
        sampling.check(self.seed, num)
        method, labels = self.program.method, None
        if method.classes and self.train and self.train.labels is not None:
            random = np.random.Generator(np.random.Philox(self.seed))
            rows = random.integers(len(self.train.labels), size=num)
            labels = np.asarray(self.train.labels[rows], np.int32)
        settled = method.settle(state.weights())
        return sampling.draw(method, settled, self.seed, num, labels), labels

    def provenance(self, step: int) -> dict:
        """What a card says of the run's samples."""
        config, private = self.config, {}
        if self.account:
            private = {'epsilon': f'{self.account.spent(step):.3g}'}
        return private | {
            'run': self.name,
            'step': step,
            'checkpoint': 'final' if step >= config.train.steps else 'earlier',
            'ema_decay': averaging_words(config.method),
            'batch_statistics': config.method.get('sampling_statistics', 'running'),
            'seed': self.seed,
        }

    def _epsilon(self, account: privacy.Account, step: int) -> Result:
        """What private training has given away of the split that it is trained on."""
        config = self.config
        where = f'{config.data.split} split of {averages.set_name(config)}'
        protocol = f'of the {where}, step {step}, {account.words()}'
        return {'value': account.spent(step), 'protocol': protocol}

    def _objective(self, state) -> dict[str, Result]:
        """The means of the method's own evaluate_step over the split."""
        values = averages.evaluate(self.program, state, self.held_out, self.batch_size)
        averaged = self.program.method.evaluates == 'averaged'
        kind = self.held_out.kind
        unit = 'mean' if kind == 'images' else trained_model.PER_STEP
        protocol = f'{unit} {self._protocol(state, averaged)}'
        return {
            f'eval/{k}': {'value': v, 'protocol': protocol} for k, v in values.items()
        }

    def _of_model(self, state, due: Plan[ModelMetric]) -> dict[str, Result]:
        protocol = self._protocol(state)
        settled = self.program.method.settle(state.weights())
        model = trained_model.TrainedModel(
            self.config, self.program, settled, self.held_out
        )
        return {
            f'eval/{key}': {'value': value, 'protocol': f'{unit}; {protocol}'}
            for request in due
            for key, (value, unit) in trained_model.measure(request, model).items()
        }

    def _protocol(self, state, averaged: bool = True) -> str:
        n, step = self.held_out.size, int(state.step)
        return averages.protocol(self.config, self.split, n, step, averaged)

    def _panel(self, requests: Plan[SampleMetric]) -> Panel | None:
        """Against the split config.eval.reference, by default that trained on."""
        if not requests:
            return None
        config, classes = self.config, self.program.method.classes
        lacking = [request.name for request in requests if request.needs_classes]
        if lacking and not classes:
            raise UserError(
                f'the samples of this run have no classes: leave {", ".join(lacking)} '
                'out of the metrics, or score a folder of samples with a subfolder for '
                'each class by python -m gan_vae.evaluation'
            )

        def pictures(split):
            examples = self.train
            if split != config.data.split:
                examples = data.examples(config.data, split)
            return Pictures(f'{averages.set_name(config)} {split}', examples)

        split = config.eval.reference or config.data.split
        held_out = None
        if any(request.metric.needs_held_out for request in requests):
            if config.data.eval_split == split:
                raise UserError(
                    'originality needs data.eval_split outside eval.reference'
                )
            held_out = pictures(config.data.eval_split)
        return Panel(
            requests,
            pictures(split),
            self.program.mesh,
            held_out,
            self.train,
            self.seed,
            _seen(config),
        )


def _seen(config) -> str:
    """The extractor through which the discriminator of a run sees images, or ''."""
    name = config.model.get('discriminator')
    return models.sees('discriminator', name) if name else ''
