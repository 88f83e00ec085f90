"""A stand-in for `gan_vae train`: writes what the trainer writes, in no time.

Its score is lowest at a learning rate of 3e-4 and rises by 0.1 with the seed; above 1
it diverges at step 2. It goes on from its last step, as the trainer does.
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

given = dict(word.removeprefix('--').split('=', 1) for word in sys.argv[1:])
folder = Path(given['workdir'])
rate = float(given['config.optimizer.learning_rate'])
steps = int(given.get('config.train.steps', 4))
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
saved = folder / 'checkpoints' / 'step'
saved.parent.mkdir(exist_ok=True)
begin = int(saved.read_text()) if saved.exists() else 0
with open(folder / 'starts', 'a') as file:
    file.write(f'{begin}\n')
time.sleep(float(os.environ.get('SWEEP_LOAD', 0)))  # data, before the folder's lock
lock = open(folder / '.lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
for step in range(begin + 1, steps + 1):
    time.sleep(float(os.environ.get('SWEEP_PAUSE', 0)))
    if rate > 1 and step == 2:
        print('said last on the other channel', flush=True)
        sys.exit('a warning\ngan_vae: the run diverged at step 2: loss_g is nan')
    score = abs(rate - 3e-4) * 1e4 + int(given['config.train.seed']) / 10 + 1 / step
    with open(folder / 'metrics.jsonl', 'a') as file:
        file.write(json.dumps({'step': step, 'eval/swd': score}) + '\n')
    saved.write_text(str(step))
    if asked and step < steps:
        sys.exit(0)
(folder / 'summary.json').write_text(json.dumps({'step': steps, 'seconds': 1.0}))
