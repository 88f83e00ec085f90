"""Pages of reference, made of the declared settings, of tables and of docstrings."""

import ast
import contextlib
import dataclasses
import importlib
import inspect
import io
import pkgutil
import re
from pathlib import Path

import gan_vae
from gan_vae import __main__ as commands
from gan_vae import flags
from gan_vae.art import tools
from gan_vae.config import sections
from gan_vae.evaluation import metrics, plan

ROOT = Path(__file__).parents[2]


def pages() -> dict[str, str]:
    """{path below the pages: Markdown}."""
    made = {
        'settings': _settings(),
        'configs': _configs(),
        'commands': _commands(),
        'tools': _tools(),
        'metrics': _metrics(),
        'python': _python(),
        'objectives': _functions('gan_vae.objectives', 'Objectives', _OBJECTIVES),
        'networks': _networks(),
    }
    for name in sections.methods():
        made[f'method_{name}'] = _method(name)
    return {f'reference/{name}.md': text for name, text in made.items()}


WIDTH = 72  # of code, beyond which a parameter has a line
_OBJECTIVES = (
    'Pure functions of arrays: losses, bounds, divergences and penalties. Those that '
    'are negative log-likelihoods are in nats per example; others have no unit.'
)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown, without its empty columns."""
    used = [at for at in range(len(head)) if any(row[at] for row in rows)]
    lines = [[line[at] for at in used] for line in (head, *rows)]
    lines.insert(1, ['---'] * len(used))
    cells = ([cell.replace('|', '\\|') for cell in line] for line in lines)
    return '\n'.join(f'| {" | ".join(line)} |' for line in cells)


def _docstring(thing) -> str:
    return inspect.getdoc(thing) or ''


def _summary(text: str) -> str:
    """The first sentence of a docstring, in one line."""
    line = ' '.join(text.partition('\n\n')[0].split())
    return line.replace(': settings.', '.')


def markdown(docstring: str) -> str:
    """A docstring as Markdown: indented lines and examples are code."""
    parts = []
    for block in re.split(r'\n\s*\n', docstring.strip('\n')):
        if block.startswith('>>>'):
            parts.append(f'```pycon\n{block}\n```')
            continue
        for code, lines in _runs(block.splitlines()):
            text = '\n'.join(lines)
            parts.append(f'```text\n{inspect.cleandoc(text)}\n```' if code else text)
    return '\n\n'.join(
        part.replace('<', '&lt;') if part[0] != '`' else part for part in parts
    )


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Neighbouring lines together: (indented, lines)."""
    runs: list[tuple[bool, list[str]]] = []
    for line in lines:
        indented = line.startswith('    ')
        if not runs or runs[-1][0] != indented:
            runs.append((indented, []))
        runs[-1][1].append(line)
    return runs


def _keys(section: str, name: str) -> str:
    rows = []
    for leaf, field in sections.keys(section, name).items():
        rules = field.metadata
        names = (n or "''" for n in rules.get('names', ()))
        limits = [f'`{n}`' for n in (*names, *rules.get('one_of', ()))]
        if rules.get('least') is not None:
            limits.append(f'at least {rules["least"]}')
        if rules.get('below') not in (None, 2**31):
            limits.append(f'below {rules["below"]}')
        says = rules.get('says', '') + ' (may change on resume)' * bool(
            rules.get('resumable')
        )
        default = field.default
        if default is dataclasses.MISSING:
            default = ''
        rows.append([f'`{leaf}`', says, f'`{default!r}`', ', '.join(limits)])
    return table(['key', 'what it is', 'default', 'allowed'], rows)


def _settings() -> str:
    parts = [
        '# Settings',
        'A key is set as `--config.SECTION.KEY=VALUE`, or in a config file as '
        '`config.SECTION.KEY = VALUE`. The sections `method` and `model` depend on '
        'the method; `--help=method.vae` prints them, too.',
        '## Methods',
        table(
            ['method', 'what it is'],
            [
                [f'[`{n}`](method_{n}.md)', _summary(_docstring(sections.method(n)))]
                for n in sections.methods()
            ],
        ),
    ]
    for section in sections.SHARED:
        parts += [f'## `config.{section}`', _keys(section, '')]
    return '\n\n'.join(parts)


def _method(name: str) -> str:
    module = sections.method(name)
    parts = [f'# `{name}`', markdown(_docstring(module))]
    for section in ('method', 'model'):
        if sections.keys(section, name):
            parts += [f'## `config.{section}`', _keys(section, name)]
    return '\n\n'.join(parts)


def _configs() -> str:
    parts = [
        '# Configs',
        'Each config is a file in `configs/`; a variant follows a colon. '
        'Every config has the variant `:tiny`.',
    ]
    for file in sorted((ROOT / 'configs').glob('*.py')):
        text = ast.get_docstring(ast.parse(file.read_text('utf-8'))) or ''
        if file.stem in ('__init__', 'default'):
            continue
        first, *rest = text.split('\n\n')
        parts += [f'## `{file.stem}`', markdown(first)]
        for block in rest:
            code = block.startswith(('python ', 'gan_vae '))
            parts.append(f'```text\n{block}\n```' if code else markdown(block))
    return '\n\n'.join(parts)


def _help(main, words: list[str]) -> str:
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.suppress(SystemExit),
    ):
        main(words)
    return out.getvalue().strip()


def _commands() -> str:
    parts = ['# Commands', f'```text\n{commands.__doc__}```']
    for mode, (purpose, known) in flags.MODES.items():
        rows = [
            [
                f'`--{name}`',
                flag.help,
                '' if flag.default in (None, '', False) else f'`{flag.default}`',
            ]
            for name, flag in known.items()
        ]
        head = ['flag', 'what it is', 'default']
        parts += [f'## `gan_vae {mode}`', purpose, table(head, rows)]
    for mode in commands._TOOLS:
        parts += [
            f'## `gan_vae {mode}`',
            f'```text\n{_help(commands.main, [mode, "--help"])}\n```',
        ]
    return '\n\n'.join(parts)


def _tools() -> str:
    parts = [
        '# Art tools',
        'Each is `gan_vae art TOOL ...`, a tab in the [studio](../guides/studio.md), '
        'and `gv.make(TOOL, ...)` in [Python](../guides/python.md). All tools take '
        '`--seed`, `--out` and `--force`; those with a model `--workdir` and `--step`.',
        _flags(tools.SHARED),
    ]
    for name in tools.names():
        tool = tools.find(name)
        usage = f'gan_vae art {name} {tool.takes}'.strip()
        parts += [f'## {name}', tools.summary(name), f'```bash\n{usage}\n```']
        if tool.flags:
            parts.append(_flags(tool.flags))
    for name, text in tools.COMMANDS.items():
        parts += [f'## {name}', text]
        parts.append(f'```text\n{_help(commands.main, ["art", name, "--help"])}\n```')
    return '\n\n'.join(parts)


def _flags(known: dict) -> str:
    rows = []
    for name, flag in known.items():
        limits = [f'`{choice}`' for choice in flag.choices]
        if flag.least is not None:
            limits.append(f'at least {flag.least}')
        if flag.most != float('inf'):
            limits.append(f'at most {flag.most}')
        default = '' if flag.default in (None, '', False) else f'`{flag.default}`'
        rows.append([f'`--{name}`', flag.help, default, ', '.join(limits)])
    return table(['flag', 'what it is', 'default', 'allowed'], rows)


def _metrics() -> str:
    parts = [
        '# Metrics',
        'A metric is named in `--metrics` and in `config.eval.metrics`. The guide is '
        '[Evaluation](../guides/evaluation.md).',
    ]
    for example in metrics.examples():
        if example.startswith('intra_'):
            continue
        metric, argument = metrics.find(example)
        extractor = getattr(metric, 'extractor', '')
        request = plan.Request(example, metric, argument or extractor)
        module = importlib.import_module(metric.compute.__module__)
        gives = ', '.join(
            f'`{request.title(key)}`' + (f' ({better} is better)' if better else '')
            for key, better in metric.gives.items()
        )
        gives = f'Gives {gives}.' if gives else 'Gives a value for each attack.'
        parts += [f'## `{example}`', gives, markdown(_docstring(module))]
    return '\n\n'.join(parts)


def _python() -> str:
    parts = ['# Python', markdown(_docstring(importlib.import_module('gan_vae.api')))]
    for name in gan_vae.__all__:
        thing = getattr(gan_vae, name)
        if inspect.ismodule(thing):  # a package that can be called
            thing = importlib.import_module(f'{thing.__name__}.run').sweep
        parts += [f'## `{name}`', *_described(name, thing)]
        if name == 'Model':
            for method, function in inspect.getmembers(thing, inspect.isfunction):
                if not method.startswith('_'):
                    parts.append(f'### `Model.{method}`')
                    parts += _described(f'Model.{method}', function)
    return '\n\n'.join(parts)


def _described(name: str, thing) -> list[str]:
    """How it is called, and its docstring."""
    try:
        signature = inspect.signature(thing)
    except ValueError:  # of an exception
        signature = inspect.Signature()
    words = [str(p) for key, p in signature.parameters.items() if key != 'self']
    kinds = [p.kind for key, p in signature.parameters.items() if key != 'self']
    if inspect.Parameter.KEYWORD_ONLY in kinds:
        words.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), '*')
    line = f'{name}({", ".join(words)})'
    if len(line) > WIDTH:
        line = f'{name}(\n' + ''.join(f'    {word},\n' for word in words) + ')'
    if signature.return_annotation not in (signature.empty, None):
        line += f' -> {inspect.formatannotation(signature.return_annotation)}'
    short = re.sub(r'\b(?:\w+\.)+(?=[A-Z]\w+)', '', line)
    short = re.sub(r"(: |-> )'([^']*)'", r'\1\2', short)  # annotations as text
    short = re.sub(r'<function .*? at 0x\w+>', '...', short)
    return [f'```python\n{short}\n```', markdown(_docstring(thing))]


def _functions(package: str, title: str, text: str) -> str:
    """The public functions of the modules of a package."""
    parts = [f'# {title}', text]
    for name in _modules(package):
        module = importlib.import_module(f'{package}.{name}')
        parts += [f'## `{package}.{name}`', markdown(_docstring(module))]
        for key, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and key[0] != '_':
                parts += [f'### `{name}.{key}`', *_described(key, function)]
    return '\n\n'.join(parts)


def _networks() -> str:
    rows = []
    for name in _modules('gan_vae.models'):
        file = ROOT / 'gan_vae' / 'models' / f'{name}.py'
        text = ast.get_docstring(ast.parse(file.read_text('utf-8'))) or ''
        link = f'[`{name}`](../../gan_vae/models/{name}.py)'
        rows.append([link, _summary(text)])
    text = 'Flax networks, and the layers that they are of, by module.'
    return '\n\n'.join(['# Networks', text, table(['module', 'what it is'], rows)])


def _modules(package: str) -> list[str]:
    where = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(where))
