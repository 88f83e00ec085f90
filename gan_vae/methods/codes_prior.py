"""What priors over the codes of pictures share: two stages in one run, and sampling.

  steps 1 ... T       min |x - D(q(E(x)))|^2 + ...      of the tokeniser alone
  steps T+1 ...       min -log p(q(E(x)) | condition)    of the prior alone

The weights of the prior are averaged, and those of the tokeniser are the last ones, as
the prior is of their codes. A condition is a row of numbers of words, 0 where there
is none: the class as one word, or a caption. It is left out of a share of the examples,
so that samples can be guided: l = l_0 + s (l_c - l_0), l_0 the logits without it (Ho &
Salimans 2022, arXiv:2207.12598).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_vae.errors import UserError
from gan_vae.keys import example_indices, keys_of, purpose_key
from gan_vae.learning import descent as descents
from gan_vae.learning import optimizers
from gan_vae.learning.settings import Learning
from gan_vae.learning.state import Occasional, TrainState, step_key
from gan_vae.methods import captions as captions_lib
from gan_vae.methods import contract
from gan_vae.methods.contract import Law, Method
from gan_vae.methods.vq_vae import method as vq

PRIOR = 'prior'


@dataclass(frozen=True)
class Condition:
    """What codes are conditioned on, as numbers of words."""

    words: int = 0  # that there are
    length: int = 0  # of a row
    classes: int = 0
    captions: captions_lib.Captions | None = None

    @property
    def states(self) -> int:
        """Numbers of a word as the network takes it; 0: its number alone."""
        return self.captions.states if self.captions else 0

    def taken(self, rows) -> jax.Array | None:
        """Rows int [n, length] as the network takes them."""
        if rows is None or self.captions is None:
            return rows
        return self.captions.encode(rows)

    def of(self, batch, keys) -> jax.Array | None:
        """int [B, length] of a batch; of several wordings one by its key."""
        if self.classes:
            return batch['label'][:, None] + 1
        if self.captions is None:
            return None
        return captions_lib.wording(batch['text'], keys)

    def drawn(self, key, n: int) -> jax.Array | None:
        """Of samples of which nothing is said: each class in turn, or captions at
        random of those that are kept."""
        if self.classes:
            return (jnp.arange(n) % self.classes)[:, None] + 1
        return None if self.captions is None else self.captions.drawn(key, n)


def condition_of(settings, spec) -> Condition:
    """What config.method.condition says. A UserError where the data lack it."""
    if settings.condition == 'class':
        if (classes := len(spec.class_names)) < 2:
            raise UserError(
                'config.method.condition=class: the data have no two classes, as a '
                'folder with two subfolders of pictures has'
            )
        return Condition(classes, 1, classes)
    if settings.condition == 'text':
        captions, text = captions_lib.of(spec), spec.text
        return Condition(len(text.words), text.length, 0, captions)
    return Condition()


@dataclass(frozen=True)
class TwoStages:
    """What the one train step takes."""

    tokeniser: vq.Tokeniser
    condition: Condition
    dropped: float  # share of examples without their condition
    # (prior's params, words, codes [B, h, w], keys [B], still) -> nats of a code [B];
    # still: without dropout
    loss: Callable
    steps: int  # of the first stage
    descent: descents.Descent


def train_step(own: TwoStages, state: TrainState, batch):
    """(state, metrics) after one update of the tokeniser or of the prior."""
    first = state.step < own.steps
    stages = [partial(first_stage, own), partial(second_stage, own)]
    shapes = [jax.eval_shape(stage, state, batch)[1] for stage in stages]

    def padded(stage, other, names):
        """The stage, whose metrics have those of the other at 0."""

        def run(state, batch):
            state, metrics = stage(state, batch)
            none = {n: jnp.zeros(a.shape, a.dtype) for n, a in other.items()}
            return state, {n: (none | metrics)[n] for n in names}

        return run

    names = sorted(shapes[0].keys() | shapes[1].keys())
    both = [padded(s, o, names) for s, o in zip(stages, reversed(shapes), strict=True)]
    state, metrics = lax.cond(first, *both, state, batch)
    acted = [jnp.asarray(first, jnp.float32), 1 - jnp.asarray(first, jnp.float32)]
    return state, {
        n: value
        if all(n in s for s in shapes)
        else Occasional(value, acted[n in shapes[1]])
        for n, value in metrics.items()
    }


def first_stage(own: TwoStages, state: TrainState, batch):
    """One update of the tokeniser."""

    def objective(params, variables, x):
        value, metrics = own.tokeniser.loss(params, x)
        return value, (variables, metrics)

    return _updated(own, state, vq.NAME, objective, batch['image'])


def second_stage(own: TwoStages, state: TrainState, batch):
    """One update of the prior."""
    index = example_indices(len(batch['image']), own.descent.axis_name)
    names = 'wording', 'drop', 'dropout'
    wording, drop, dropout = (keys_of(step_key(state, n), index) for n in names)
    rows: dict[str, Any] = {
        'codes': own.tokeniser.encode(state.params[vq.NAME], batch['image']),
        'keys': dropout,
    }
    words = own.condition.of(batch, wording)
    if words is not None:
        share = own.dropped
        kept = jax.vmap(lambda k: ~jax.random.bernoulli(k, share))(drop)
        rows['words'] = own.condition.taken(words * kept[:, None])

    def objective(params, variables, rows):
        words, codes, keys = rows.get('words'), rows['codes'], rows['keys']
        each = own.loss(params, words, codes, keys, False)
        mean = jnp.mean(each)
        return mean, (variables, {'loss_prior': mean})

    return _updated(own, state, PRIOR, objective, rows)


def _updated(own: TwoStages, state, name, objective, rows):
    """(state, metrics) after one update of one network."""
    descent = own.descent
    gradient = jax.grad(objective, has_aux=True)
    grads, _, metrics = descent.gradients(gradient, state.params[name], {}, rows)
    suffix = '' if name == vq.NAME else f'_{name}'
    state, update = descent.update(state, name, grads, suffix)
    after, metrics = own.tokeniser.follow(state, metrics)
    state = descent.keep(state, after)
    state = descent.advance(state, state.params, own.steps)
    last = descent.layout.shard(state.params[vq.NAME])
    return replace(state, ema=state.ema | {vq.NAME: last}), metrics | update


def chosen(logits, law: Law):
    """Logits [..., K] of a law: over its temperature, -inf where a code is left out.

    top_p is of what top_k leaves; the likeliest code always stays.
    """
    if law.temperature is not None:
        logits = logits / jnp.maximum(law.temperature, 1e-6)
    if law.top_k and law.top_k < logits.shape[-1]:
        least = lax.top_k(logits, law.top_k)[0][..., -1:]
        logits = jnp.where(logits >= least, logits, -jnp.inf)
    if law.top_p is not None and law.top_p < 1:
        order = jnp.sort(logits, -1, descending=True)
        share = jax.nn.softmax(order, -1)
        inside = jnp.cumsum(share, -1) - share < law.top_p
        inside = inside.at[..., 0].set(True)
        least = jnp.min(jnp.where(inside, order, jnp.inf), -1, keepdims=True)
        logits = jnp.where(logits >= least, logits, -jnp.inf)
    return logits


def guided(with_it, without, scale):
    """Logits with a condition of that scale: 1 is with it, 0 without."""
    return without + scale * (with_it - without)


def method(
    settings,
    learning: Learning,
    axis_name: str | None,
    *,
    name: str,
    tokeniser: vq.Tokeniser,
    condition: Condition,
    init: Callable,
    loss: Callable,
    draw: Callable,
    formula: str,
    metric: str = 'code_bits',
    any_order: bool = False,
    score: Callable | None = None,
) -> Method:
    """The Method of a prior.

    init: key -> its params; loss: as of TwoStages, and in bits the `metric` of an
    evaluation; draw: (params, key, words [n, length] or None, n, Law, given codes and
    floors [n, h, w] or None) -> codes int [n, h, w]; score: (params, codes, words) ->
    log p of each code [n, h, w].
    """
    steps = settings.tokeniser_steps
    learners = {
        part: optimizers.make(replace(learning, steps=max(1, count)))
        for part, count in ((vq.NAME, steps), (PRIOR, learning.steps - steps))
    }
    own = TwoStages(
        tokeniser=tokeniser,
        condition=condition,
        dropped=settings.condition_dropped,
        loss=loss,
        steps=steps,
        descent=descents.make(learners, settings, learning, axis_name),
    )
    default = Law(settings.guidance, None, settings.top_k, settings.top_p)

    def start(key) -> TrainState:
        params = {
            vq.NAME: tokeniser.init(key),
            PRIOR: init(purpose_key(key, PRIOR)),
        }
        return own.descent.init(purpose_key(key, 'run'), params, params)

    def evaluate_step(state, batch):
        """The tokeniser's errors, and the prior's bits of a code beside those of two
        simple laws: of counts of all codes, and of counts at each place."""
        x = batch['image']
        codes = tokeniser.encode(state.ema[vq.NAME], x)
        keys = keys_of(purpose_key(state.rng, 'evaluate'), batch['index'])
        words = condition.of(batch, keys)
        nats = loss(state.ema[PRIOR], condition.taken(words), codes, keys, True)
        values = tokeniser.values(state.ema[vq.NAME], x)
        values |= {metric: nats / np.log(2)}
        counts = vq.counts(codes, batch['mask'], tokeniser.quantiser.size)
        return contract.sums(values, batch['mask']) | {'counts': counts}

    def draw_images(weights, key, n, words, law: Law, given=None):
        given_law = {k: v for k, v in law._asdict().items() if v is not None}
        law = default._replace(**given_law)
        index = draw(
            weights.averaged[PRIOR], key, condition.taken(words), n, law, given
        )
        return tokeniser.decode(weights.averaged[vq.NAME], index)

    def generate(weights, key, n, condition_of_them=None, temperature=None):
        words = condition_of_them
        if words is None:
            words = condition.drawn(key, n)
        elif condition.classes:
            words = words[:, None] + 1
        elif condition.captions is None:
            contract.refuse_condition(words)
        return draw_images(weights, key, n, words, Law(temperature=temperature))

    return Method(
        objective=f'{name}: {steps:,} steps {tokeniser.objective}; '
        f'then {formula}, nats a code, mean over {np.prod(tokeniser.shape)} codes of '
        f'{tokeniser.quantiser.size:,} and over the batch',
        init=start,
        train_step=partial(train_step, own),
        evaluate_step=evaluate_step,
        finish=vq.finish,
        generate=generate,
        classes=condition.classes,
        reconstruct=partial(vq.again, tokeniser),
        codes=vq.codes_of(tokeniser),
        code_prior=contract.CodePrior(
            draw=draw_images,
            score=score
            and (
                lambda weights, codes, words: score(
                    weights.averaged[PRIOR], codes, condition.taken(words)
                )
            ),
            any_order=any_order,
        ),
        captions=condition.captions,
    )
