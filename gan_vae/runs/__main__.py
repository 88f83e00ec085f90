"""gan_vae pack --workdir=RUN --out=FOLDER [--half] [--step=N|best]: a packed model.

`python -m gan_vae.runs` is the same command.
"""

import sys
from pathlib import Path

from gan_vae import files, interrupt
from gan_vae import flags as flags_lib
from gan_vae.errors import UserError
from gan_vae.flags import Flag

FLAGS = {
    'workdir': Flag(str, '', 'folder of a run'),
    'out': Flag(str, '', 'folder to write, new or empty'),
    'half': Flag(bool, False, 'weights in half precision'),
    'step': Flag(flags_lib.step, None, 'checkpoint: a step, or best (the newest)'),
}


def main(argv: list[str]) -> int:
    """The exit status: 0, or 2 for what the user can put right."""
    try:
        flags = asked(FLAGS, argv, 'pack', __doc__)
        if flags:
            print(repacked(flags.workdir, flags.out, flags.half, flags.step))
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


def asked(flags: dict[str, Flag], argv: list[str], command: str, doc: str | None):
    """The flags of a command that writes the folder --out from its first one; None
    where its help was asked for. Raises UserErrors."""
    values = flags_lib.parse_one(flags, argv, f'gan_vae {command}')
    if values.help:
        print('\n'.join([doc or '', *flags_lib.lines_of(flags)]))
        return None
    for name in (next(iter(flags)), 'out'):
        if not getattr(values, name):
            raise UserError(f'--{name} is missing; see gan_vae {command} --help')
    files.refuse_file(Path(values.out))
    if Path(values.out).is_dir() and any(Path(values.out).iterdir()):
        raise UserError(f'{values.out} is not empty')
    return values


def repacked(
    workdir: str, out: str, half: bool = False, step: int | str | None = None
) -> str:
    """Writes a run, or a packed model, as a packed model; a line about it."""
    from gan_vae.devices import process
    from gan_vae.runs import folder, opened, packed

    process.prepare()
    model = opened.load(workdir, step)
    place = packed.find(workdir)
    size = packed.pack(
        model.config,
        folder.read_classes(place),
        model.weights,
        model.carried,
        out,
        half,
        folder.read_text(place),
    )
    return f'{out}: {size:,} bytes of weights'


if __name__ == '__main__':
    interrupt.command(main)
