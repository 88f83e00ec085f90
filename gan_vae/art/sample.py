"""Samples of a run in its own folder, as `launch.py --mode=sample` makes them."""

import re
from argparse import Namespace
from pathlib import Path

from gan_vae import data
from gan_vae.art import making, tools
from gan_vae.art.tools import Model
from gan_vae.methods import sampling
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed

SLUG = 60  # characters of a prompt in the name of a folder
PICTURES, SEQUENCES = 64, 16  # by default; a sequence is several files


def sample(
    workdir,
    num: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
    name: str | None = None,
    truncation: float | None = None,
    temperature: float | None = None,
    latents: str = 'prior',
    prompt: str = '',
    guidance: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Path:
    """Writes `num` samples in a folder, which it returns, and a sheet beside it.

    They are those of `python -m gan_vae.art sample` with the same flags, and lie in the
    run's folder, or in art/NAME for pretrained:NAME. Those of before are overwritten.
    name: of the class, or its id; by default each class in turn. latents: of the
    'prior', or of a mixture fitted to the 'aggregate' posterior of training images.
    prompt, guidance, top_k, top_p: of a prior over codes, as `Model.sample` takes them.
    """
    folder = packed.find(workdir)
    kind = data.kind_of(run_folder.read_config(folder).data.name)
    if num is None:
        num = PICTURES if kind == 'images' else SEQUENCES
    sampling.check(seed, num, truncation, temperature)
    law = {'truncation': truncation, 'temperature': temperature}
    law |= {'guidance': guidance, 'top_k': top_k, 'top_p': top_p}
    values = {'workdir': str(workdir), 'seed': seed, 'step': step, 'force': True}
    values |= law | {'class': name or '', 'latents': latents, 'num': num}
    values['prompt'] = prompt

    def place(model: Model) -> Path:
        words = [f'step{model.about["step"]}-seed{seed}']
        if name:
            label = sampling.class_id(model.classes, name)
            words.append(model.classes[label].replace('/', '_'))
        if prompt:
            words.append(re.sub(r'\W+', '-', prompt).strip('-')[:SLUG])
        words += [f'{word}{x:g}' for word, x in law.items() if x is not None]
        if latents != 'prior':
            words.append(latents)
        home = Path('art') / folder.name if str(folder) != str(workdir) else folder
        parent = 'pictures' if kind == 'images' else kind
        return home / parent / '-'.join(words)

    flags = Namespace(**tools.defaults(tools.find('sample')) | values)
    out, result = making.make('sample', [], flags, place)
    for line in result.messages:
        print(line)
    return out
