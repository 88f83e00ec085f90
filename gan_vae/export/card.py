"""README.md of an exported model: what it is, what it learned from, how to use it."""

import json
from collections.abc import Iterable
from pathlib import Path

from gan_vae import files
from gan_vae.learning.state import by_name
from gan_vae.runs import folder as run_folder
from gan_vae.runs.opened import Opened

USED = {
    'model.safetensors': """from gan_vae import open
pictures = open('this folder').sample(16)  # uint8 [16, H, W, C]""",
    'decoder.onnx': """import numpy as np, onnxruntime
session = onnxruntime.InferenceSession('decoder.onnx')
z = np.random.normal(size=(16, {size})).astype(np.float32)
(pictures,) = session.run(None, {{'z': z{condition}}})  # in [-1, 1]""",
    'decoder.jax': """import jax, numpy as np
decode = jax.export.deserialize(open('decoder.jax', 'rb').read()).call
pictures = decode(np.random.normal(size=(16, {size})).astype('float32'){position})""",
}


AUDITS = [  # a question, the metric that answers it, and how its values begin
    ('whether samples are copies', 'originality_random', 'near'),
    ('whether it tells what it was trained on', 'membership', 'membership'),
]
PAGE = 'draw.html'  # which needs no code to be used


def text(model: Opened, workdir: Path, lines: list[str]) -> str:
    """The card, with the head that hubs read."""
    config, method = model.config, model.method
    parts = [_head(config), f'# {config.name}', *described(model, workdir)]
    parts.append('\n'.join(f'- `{line.replace(":", "`:", 1)}' for line in lines))
    file = lines[0].partition(':')[0]
    size = method.latents.size if method.latents else 0
    array = 'np.arange(16, dtype=np.int32) % ' + f'{method.classes}'
    some = {
        'size': size,
        'condition': f", 'class': {array}" * bool(method.classes),
        'position': f', {array}' * bool(method.classes),
    }
    if file != PAGE:
        parts.append(f'```python\n{USED[file].format(**some)}\n```')
    measured = _measures(workdir)
    if measured:
        parts += ['## Measured', '\n'.join(f'- {line}' for line in measured.values())]
    parts += ['## Limits', _limits(model, measured)]
    parts.append(
        'Averaged weights, SHA-256 of their arrays '
        f'`{model.record["state_sha256"]}`, gan_vae commit '
        f'`{model.record["git_commit"]}`. The licence of the data holds for what is '
        'made with them: see the card of the set.'
    )
    return '\n\n'.join(parts) + '\n'


def described(model: Opened, workdir: Path) -> list[str]:
    """What a model is and what it learned from, a paragraph each."""
    config, method = model.config, model.method
    count = sum(int(a.size) for a in by_name(model.weights.averaged).values())
    classes = run_folder.read_classes(workdir) if method.classes else ()
    lines = [
        f'A `{config.method.name}`, trained by gan_vae, config `{config.name}`, '
        f'step {model.record["step"]:,}; {count:,} parameters.',
        f'Objective: `{method.objective}`.',
        f'Data: `{config.data.name}`, split `{config.data.split}`.',
    ]
    if seconds := model.record.get('seconds'):
        work = model.record.get('core_seconds', 0.0) / 60
        worked = f', and {work:,.1f} core-minutes of the host' if work else ''
        lines.append(f'Training took {seconds / 60:,.1f} minutes{worked}.')
    if licence := model.record.get('licence'):
        lines.append(f'Licence of the data: {licence}.')
    if private := model.record.get('privacy'):
        lines.append(f'Differentially private: {private}.')
    if classes:
        lines.append(f'Classes, from 0: {", ".join(classes)}.')
    return lines


def _head(config) -> str:
    words = {
        'library_name': 'gan_vae',
        'tags': [config.method.name, 'jax'],
        'pipeline_tag': 'unconditional-image-generation',
        'datasets': [config.data.name.partition(':')[0]],
    }
    listed = '\n'.join(f'{key}: {json.dumps(value)}' for key, value in words.items())
    return f'---\n{listed}\n---'


def _limits(model: Opened, measured: Iterable[str]) -> str:
    """What the model cannot do, and which questions nobody has put to it."""
    lines = ['It draws what its data show, and nothing else.']
    open_questions = [
        f'{what} (`gan_vae evaluate --metrics={metric}`)'
        for what, metric, key in AUDITS
        if model.method.generate and not any(name.startswith(key) for name in measured)
    ]
    if open_questions:
        lines.append(f'Not measured: {"; ".join(open_questions)}.')
    if not model.record.get('privacy'):
        lines.append('It was not trained with differential privacy.')
    return ' '.join(lines)


def _measures(workdir: Path) -> dict[str, str]:
    """{metric: protocol} of the last evaluations of a run."""
    protocols = {}
    for line in files.json_lines(workdir / 'evaluation.jsonl'):
        if isinstance(line.get('protocol'), str) and 'metric' in line:
            protocols[line['metric']] = line['protocol']
    return protocols
