"""The guides that say how to add something, done as they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gan_vae import images
from gan_vae.data import emoji

ROOT = Path(__file__).resolve().parents[1]
GUIDES = sorted((ROOT / 'docs' / 'guides').glob('add_*.md'))
FILE = re.compile(r'```python\n# (\S+\.py)\n(.*?)```', re.DOTALL)
COMMANDS = re.compile(r'```bash\n(.*?)```', re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize('guide', GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_works_in_an_empty_folder(guide, tmp_path):
    """Its files are written and its commands run, of configs the variant :tiny."""
    for name in ('configs', 'examples', 'launch.py'):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / 'my_samples').mkdir()
    for number, picture in enumerate(emoji.load('test')[0][:40]):
        images.save_png(tmp_path / 'my_samples' / f'{number}.png', picture)
    text = guide.read_text('utf-8')
    files = FILE.findall(text)
    for name, code in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    commands = ''.join(COMMANDS.findall(text)).replace('\\\n', ' ').splitlines()
    ran = 0
    for command in commands:
        if 'RUN' in command:  # a run of the reader's
            continue
        command = re.sub(r'(--config=\S+\.py)(?=\s|$)', r'\1:tiny', command)
        command = re.sub(r'^(gan_vae|python)\b', _python, command)
        env = os.environ | {'PYTHONPATH': str(ROOT), 'XLA_FLAGS': ''}
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        ran += 1
    assert files and ran


def _python(word: re.Match) -> str:
    return f'{sys.executable} -m gan_vae' if word[1] == 'gan_vae' else sys.executable
