"""gan_vae export --workdir=RUN --out=FOLDER [--to=FORMAT] [--step=N|best]

A trained model for programs that do not have this package. `python -m gan_vae.export`
is the same command.
"""

import ast
import importlib
import sys
from pathlib import Path

from gan_vae import files, interrupt, modules
from gan_vae import flags as flags_lib
from gan_vae.errors import UserError, not_installed, unknown
from gan_vae.flags import Flag

FLAGS = {
    'workdir': Flag(str, '', 'folder of a run, or pretrained:NAME'),
    'out': Flag(str, '', 'folder to write, new or empty'),
    'to': Flag(str, 'safetensors', 'the format, one of those below'),
    'step': Flag(flags_lib.step, None, 'checkpoint: a step, or best (the newest)'),
}
ROOM = 'gan_vae.export.formats'


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right."""
    try:
        flags = flags_lib.parse_one(FLAGS, argv, 'gan_vae export')
        if flags.help:
            listed = [f'  {name:12s} {_summary(name)}' for name in modules.names(ROOM)]
            print(f'{__doc__}\n' + '\n'.join([*flags_lib.lines_of(FLAGS), '', *listed]))
            return 0
        for name in ('workdir', 'out'):
            if not getattr(flags, name):
                raise UserError(f'--{name} is missing; see gan_vae export --help')
        if flags.to not in modules.names(ROOM):
            raise unknown('--to', flags.to, modules.names(ROOM))
        files.refuse_file(Path(flags.out))
        if Path(flags.out).is_dir() and any(Path(flags.out).iterdir()):
            raise UserError(f'{flags.out} is not empty')
        for line in export(flags.workdir, flags.out, flags.to, flags.step):
            print(line)
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


def _summary(name: str) -> str:
    text = (Path(__file__).parent / 'formats' / f'{name}.py').read_text('utf-8')
    return (ast.get_docstring(ast.parse(text)) or '').partition('\n')[0]


def export(workdir: str, out: str, to: str, step: int | str | None) -> list[str]:
    """Writes a model in a format, with its card; lines about it."""
    from gan_vae.devices import process
    from gan_vae.export import card
    from gan_vae.runs import opened, packed

    try:
        written = importlib.import_module(f'{ROOM}.{to}')
    except ModuleNotFoundError as error:
        if (error.name or '').startswith('gan_vae'):
            raise
        raise not_installed(f'--to={to}', str(error.name), 'export') from error
    process.prepare()
    model = opened.load(workdir, step)
    folder = Path(out)
    try:
        lines = written.write(model, packed.find(workdir), folder)
        files.write(folder / 'README.md', card.text(model, packed.find(workdir), lines))
    except OSError as error:
        raise UserError(f'cannot write in {folder}: {error.strerror}') from error
    return [f'{folder}/{line}' for line in lines]


if __name__ == '__main__':
    interrupt.command(main)
