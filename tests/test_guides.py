"""The guides, done as they say: their files are written, and their commands run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_vae import data, images
from gan_vae.data import emoji
from gan_vae.data.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / 'docs').glob('guides/*.md')) + sorted(
    (ROOT / 'docs').glob('start/*.md')
)
ADDING = [page for page in PAGES if page.stem.startswith('add_')]
USING = [page for page in PAGES if page not in ADDING]
FILE = re.compile(r'```python\n# (\S+\.py)\n(.*?)```', re.DOTALL)
BLOCK = re.compile(r'```(bash|python)\n(.*?)```', re.DOTALL)
QUICK = ' '.join(
    f'--config.train.{key}=3' for key in ('steps', 'checkpoint_steps', 'image_steps')
)
TINY = '--config.data.name=toy_shapes --config.data.categories= --config.model.width=4 '
TINY += (
    '--config.data.batch_size=8 --config.eval.metrics=swd --config.eval.num_samples=8'
)
XLA = '--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false'
# Sets that somebody has to fetch, and what is there in their place.
FETCHED = {
    'canaries:mnist': 'canaries:emoji',
    'cifar10': 'art:critters=60',
    'batch_size=1024': 'batch_size=8',
    'art index ': 'art index --features=random ',  # another needs an extra
    "class='Food & Drink'": 'class=disc',  # of toy_shapes
    "categories='Food & Drink'": 'categories=disc',
}
# Configs that have the networks of a trained model, and few pictures for them.
FEW = '+'.join(
    f'{style}=60' for style in ('critters', 'landscape', 'planets', 'sprouts')
)
AS_TRAINED = {
    'finetune': ' --config.data.batch_size=4',
    'distill': f' --config.data.name=art:{FEW} --config.eval.metrics=',
}
# What a test cannot do, and where it is done.
ELSEWHERE = {
    r'pip install|venv': 'tests/test_package.py',
    r'data\.prepare|=minilm': 'it needs a network: tests/data',
    r'method=gatys': 'it needs `prepare hed`: tests/art/test_style.py',
    r'vae gallery': 'it needs `prepare aframe`: tests/gallery',
    r'^gan_vae studio': 'it serves until it is stopped: tests/studio',
    r'art (sign|verify)': 'it needs a certificate: tests/art/test_credentials.py',
    r'--hosts': 'tests/test_hosts.py',
    r'method=factor': 'it draws 12,000 pictures: tests/art/test_directions.py',
    r'--form=': 'it needs `prepare poems`: tests/data/test_text.py',
    r'melody\.mid|rolls': 'tests/art/test_sequences.py',
}


def commands(text: str) -> list[str]:
    """The lines of all bash blocks, continued ones joined, without comments."""
    blocks = ''.join(code for kind, code in BLOCK.findall(text) if kind == 'bash')
    lines = blocks.replace('\\\n', ' ').splitlines()
    lines = [re.sub(r'(^|\s+)# .*', '', line) for line in lines]
    return [line for line in lines if line]


def run(command: str, folder: Path, **env: str) -> str:
    """What a command says; it has the folder as home, and ends with status 0."""
    program = {'gan_vae': f'{sys.executable} -m gan_vae', 'python': sys.executable}
    command = re.sub(
        r'^(timeout \S+ )?(gan_vae|python)\b',
        lambda found: (found[1] or '') + program[found[2]],
        command,
    )
    own = {'PYTHONPATH': f'{folder}:{ROOT}', 'XLA_FLAGS': XLA, 'HOME': str(folder)}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=os.environ | own | env,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode and 'pip install' in said:  # of an extra that is not here
        return ''
    assert done.returncode == 0, (command, said)
    return said


def place(folder: Path):
    """What lies in the folder in which the guides are read."""
    for name in ('configs', 'examples', 'experiments', 'launch.py'):
        (folder / name).symlink_to(ROOT / name)


@pytest.mark.slow
@pytest.mark.parametrize('page', ADDING, ids=lambda page: page.stem)
def test_what_a_guide_adds_works_in_an_empty_folder(page, tmp_path):
    """Its files are written and its commands run, of configs the variant :tiny."""
    place(tmp_path)
    (tmp_path / 'my_samples').mkdir()
    for number, picture in enumerate(emoji.load('test')[0][:40]):
        images.save_png(tmp_path / 'my_samples' / f'{number}.png', picture)
    text = page.read_text('utf-8')
    files = FILE.findall(text)
    for name, code in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    ran = 0
    for command in commands(text):
        if 'RUN' not in command:  # a run of the reader's
            run(re.sub(r'(--config=\S+\.py)(?=\s|$)', r'\1:tiny', command), tmp_path)
            ran += 1
    assert files and ran


@pytest.mark.slow
@pytest.mark.parametrize('page', USING, ids=lambda page: page.stem)
def test_the_commands_of_a_guide_run(page, tmp_path):
    """In their order, of tiny configs, with small pictures of the names it takes."""
    if page.stem == 'export':  # all of it needs the extra
        pytest.importorskip('safetensors', reason='the extra export')
    place(tmp_path)
    pictures(tmp_path)
    if page.stem == 'sequences':
        drawings(tmp_path)
    text, variables = page.read_text('utf-8'), {}
    for kind, code in BLOCK.findall(text):
        if kind == 'python' and 'import gan_vae as gv' in code:
            (tmp_path / 'page.py').write_text(code)
            run('python page.py', tmp_path)
    for command in commands(text):
        if found := re.match(r'(\w+)=(\S+)$', command):
            variables[found[1]] = found[2]
        elif not any(re.search(pattern, command) for pattern in ELSEWHERE):
            command = small(command)
            begun(command, tmp_path)
            run(command, tmp_path, **variables)


def small(command: str) -> str:
    """A command on a tiny config and on data that are there."""
    for name, other in FETCHED.items():
        command = command.replace(name, other)
    if '--mode=sweep' in command:
        command = re.sub(r'--trials=\d+', '--trials=1', command)
        return f'{command} {TINY} {QUICK}'.replace('--seeds=2', '--seeds=1')
    trained = re.search(r'--config=configs/(\w+)\.py(:\S+)?', command)
    if not trained:
        return command.replace('=RUN', '=runs/pix2pix')
    name, variant = trained.groups()
    if name in AS_TRAINED:
        command += AS_TRAINED[name]
    else:
        wanted = trained[0].removesuffix(variant or '') + ':tiny'
        command = command.replace(trained[0], wanted)
        if '--workdir' not in command:
            command += f' --workdir=runs/{name}'
        if name == 'prompt_art' and 'folder:' in command:  # not of factors, as :tiny
            command += ' --config.data.text=words'
    return f'{command} {QUICK}'


def begun(command: str, folder: Path):
    """Trains the run folders that a command reads, where no line before it did."""
    written = re.findall(r'--workdir=(\S+)', command) if '--config=' in command else []
    for name in re.findall(r'\bruns/([\w-]+)', command):
        if f'runs/{name}' in written or (folder / 'runs' / name).exists():
            continue
        file, _, variant = name.partition('-')
        more = '--config.method.name=masked_transformer' * (variant == 'masked')
        if file in ('prompt_art', 'df_gan_art'):  # their words are those of the guide
            more += ' --config.data.name=art:critters=200+sprouts=200'
            more += ' --config.data.text=words --config.data.image_size=32'
        config = file if (ROOT / f'configs/{file}.py').exists() else 'dcgan_emoji'
        train = f'python launch.py --config=configs/{config}.py:tiny'
        run(f'{train} --workdir=runs/{name} {more} {QUICK}', folder)


def pictures(folder: Path):
    """Small files of all the names that the guides have."""
    drawn = data.examples(Settings(name='art', image_size=32), 'train[:100]')
    for number, picture in enumerate(drawn.images):
        for place in (
            'pictures',
            'photos',
            'paintings',
            'coloured',
            'drawings',
        ):
            to = folder / place
            if place == 'pictures':
                to /= f'class {number % 4}'
            to.mkdir(parents=True, exist_ok=True)
            images.save_png(to / f'{number}.png', picture)
        (folder / f'pictures/class {number % 4}/{number}.txt').write_text('a red cat')
    (folder / 'others').mkdir()
    held_out = data.examples(Settings(name='art', image_size=32), 'validation[:100]')
    for number, picture in enumerate(held_out.images):
        images.save_png(folder / 'others' / f'{number}.png', picture)
    random = np.random.default_rng(0)
    rough = random.integers(0, 255, (12, 16, 3), np.uint8)
    photo = Image.fromarray(rough).resize((64, 48), Image.Resampling.BICUBIC)
    for name in 'photo', 'other', 'painting', 'one', 'two', 'drawing', 'small':
        photo.rotate(ord(name[0])).save(folder / f'{name}.jpg')
    photo.save(folder / 'drawing.png')
    for name in 'me', 'face', 'small':
        side = 16 if name == 'small' else 32
        photo.crop((0, 0, side, side)).save(folder / f'{name}.png')
    mask = np.zeros((48, 64), np.uint8)
    mask[:24] = 255
    masks = {'sky': mask, 'sea': 255 - mask, 'holes': mask, 'hole': mask[8:40, :32]}
    for name, values in masks.items():
        Image.fromarray(values).save(folder / f'{name}.png')
    (folder / 'choices.txt').write_text('0 1\n3 2\n1 2\n')
    (folder / 'novel.txt').write_text('It was a dark and stormy night. ' * 200)
    (folder / 'my_samples').symlink_to(folder / 'others')


def drawings(folder: Path):
    """In `drawings`, in place of pictures: lines of a pen."""
    shutil.rmtree(folder / 'drawings')
    (folder / 'drawings').mkdir()
    for number in range(48):
        (folder / 'drawings' / f'{number}.svg').write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
            f'<path d="M1 1 L{2 + number % 7} 8 L8 {1 + number % 5}"/></svg>'
        )
