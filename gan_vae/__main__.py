"""gan_vae train --config=FILE.py[:VARIANT] [--workdir=DIR] [--config.KEY=X] ...
       gan_vae sample --workdir=RUN ...           samples of a trained model
       gan_vae evaluate --workdir=RUN ...         metrics of a trained model
       gan_vae evaluate SAMPLES REFERENCE ...     metrics of two folders of pictures
       gan_vae report RUN [RUN ...]               a page that compares runs
       gan_vae sweep --sweep=FILE.py ...          many runs of one config
       gan_vae art TOOL [FILE ...] ...            pictures with a trained model
       gan_vae studio [RUN ...]                   the same on a page, in a browser
       gan_vae gallery WORK [WORK ...]            works on walls, as one page
       gan_vae prepare NAME                       a data set on disk, once
       gan_vae pack --workdir=RUN --out=DIR       a model small enough to share
       gan_vae export --workdir=RUN --out=DIR ... a model as safetensors, ONNX, JAX
       gan_vae import --folder=DIR --out=RUN      what was exported as safetensors
       gan_vae publish RUN --to=TRACKER           a run for wandb, mlflow or trackio

`gan_vae MODE --help` lists the flags of a mode. RUN is the folder of a run, or a model
of the package such as `pretrained:emoji_gan`. `python -m gan_vae` is the same command.
"""

import importlib
import sys

from gan_vae import __version__, interrupt, modules
from gan_vae.errors import unknown

_RUNS = ('train', 'sample', 'evaluate', 'sweep')
_TOOLS = {
    'art': 'gan_vae.art.__main__',
    'studio': 'gan_vae.studio.__main__',
    'gallery': 'gan_vae.gallery.__main__',
    'prepare': 'gan_vae.data.prepare',
    'pack': 'gan_vae.runs.__main__',
    'export': 'gan_vae.export.__main__',
    'import': 'gan_vae.runs.importing',
    'publish': 'gan_vae.publish.__main__',
    'report': 'gan_vae.evaluation.__main__',
}


def main(argv: list[str]) -> int:
    """Runs the mode that the first word names; returns the exit status."""
    modules.search_working_directory()
    mode, *rest = argv or ['--help']
    if mode in ('--help', '-h'):
        print(__doc__)
        return 0
    if mode == '--version':
        print(__version__)
        return 0
    if mode not in (*_RUNS, *_TOOLS):
        error = unknown('mode', mode, (*_RUNS, *_TOOLS))
        print(f'gan_vae: {error}; see gan_vae --help', file=sys.stderr)
        return 2
    if mode == 'evaluate' and rest and not rest[0].startswith('-'):
        return importlib.import_module(_TOOLS['report']).main(rest)
    if mode in _RUNS:
        from gan_vae import commands

        return commands.main([f'--mode={mode}', *rest])
    words = ['report', *rest] if mode == 'report' else rest
    return importlib.import_module(_TOOLS[mode]).main(words)


def command():
    """The console command."""
    interrupt.command(main)


if __name__ == '__main__':
    command()
