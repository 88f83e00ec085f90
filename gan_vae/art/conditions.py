"""What a command asks of a model of classes or of captions: --class, --prompt.

A condition is as `Method.generate` takes it: int [n], or numbers of words int
[n, length].
"""

from collections.abc import Iterable

import numpy as np

from gan_vae.art.tools import Flag, Model, ModelRequest
from gan_vae.data import texts
from gan_vae.errors import UserError
from gan_vae.methods import prompting, sampling
from gan_vae.methods.contract import required

FLAGS = {
    'class': Flag('', str, 'of a model of classes: a name, or #N'),
    'prompt': Flag('', str, 'of a model of captions: words for what to draw'),
}


def asked(request: ModelRequest) -> tuple[np.ndarray | None, list[str]]:
    """(the condition of all pictures, of one row, and lines about it); None: not said.
    A UserError for what the model does not have."""
    model, prompt = request.model, request.flags.prompt
    word = vars(request.flags)['class']
    if prompt and word:
        raise UserError('--prompt and --class both say what to draw: take one')
    if prompt:
        captions = required(model.method, 'captions', '--prompt')
        row, lines = prompting.numbers(captions.text, prompt)
        return row[None], lines
    if word:
        label = sampling.class_id(model.classes, word)
        return np.array([label]), sampling.class_message(model.classes, word, label)
    return None, []


def words(request: ModelRequest) -> tuple[np.ndarray | None, list[str]]:
    """What is asked, as a prior over codes takes it, int [length], and lines about it;
    zeros where nothing is said, None where there are no words."""
    method = request.model.method
    condition, lines = asked(request)
    if condition is not None:
        return prompting.words_of(method, condition)[0], lines
    some = prompting.words_drawn(method, 0, 1)
    return None if some is None else np.zeros_like(some[0]), lines


def records(model: Model, condition: np.ndarray | None, n: int) -> list[dict]:
    """What each of n pictures carries of its condition."""
    if condition is None:
        return [{} for _ in range(n)]
    rows = np.resize(np.arange(len(condition)), n)
    if captions := model.method.captions:
        told = [texts.string(captions.text, row) for row in condition]
        return [{'prompt': told[row]} for row in rows]
    return [{'class': model.classes[condition[row]]} for row in rows]


def recorded(model: Model, provenance: dict, file: str) -> np.ndarray | None:
    """The condition that a picture carries, of one row."""
    if captions := model.method.captions:
        prompt = provenance.get('prompt')
        if not isinstance(prompt, str):
            raise UserError(f'{file}: its prompt was altered')
        if not prompt:  # no words at all
            return np.zeros((1, captions.text.length), np.int32)
        return prompting.numbers(captions.text, prompt)[0][None]
    if not model.method.classes:
        return None
    if (name := provenance.get('class')) not in model.classes:
        raise UserError(f'{file}: its class was altered')
    return np.array([model.classes.index(name)], np.int32)


def of_sample(model: Model, seed: int, number: int) -> np.ndarray | None:
    """The condition of sample `number` of a seed, of one row."""
    rows = sampling.conditions(model.method, seed, number + 1)
    return None if rows is None else rows[number:]


def together(conditions: Iterable[np.ndarray | None]) -> np.ndarray | None:
    """Conditions of one row each as those of as many pictures."""
    rows = [row for row in conditions if row is not None]
    return np.concatenate(rows) if rows else None
