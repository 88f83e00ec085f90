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
        flags = flags_lib.parse_one(FLAGS, argv, 'gan_vae pack')
        if flags.help:
            print('\n'.join([__doc__, *flags_lib.lines_of(FLAGS)]))
            return 0
        for name in ('workdir', 'out'):
            if not getattr(flags, name):
                raise UserError(f'--{name} is missing; see gan_vae pack --help')
        files.refuse_file(Path(flags.out))
        if Path(flags.out).is_dir() and any(Path(flags.out).iterdir()):
            raise UserError(f'{flags.out} is not empty')
        from gan_vae.devices import process
        from gan_vae.runs import folder, opened, packed

        process.prepare()
        model = opened.load(flags.workdir, flags.step)
        place = packed.find(flags.workdir)
        size = packed.pack(
            model.config,
            folder.read_classes(place),
            model.weights,
            model.about,
            flags.out,
            flags.half,
            folder.read_text(place),
        )
        print(f'{flags.out}: {size:,} bytes of weights')
        return 0
    except UserError as error:
        print(f'gan_vae: {error}', file=sys.stderr)
        return 2


if __name__ == '__main__':
    interrupt.command(main)
