"""Which learning rate and first moment does DCGAN want on the emoji faces?

python launch.py --mode=sweep --sweep=experiments/dcgan_lr.py --seeds=2 --parallel=2

The paper lowers Adam's defaults from (1e-3, 0.9) to (2e-4, 0.5), since they made its
training unstable: Radford et al. 2015, arXiv:1511.06434. `space` is for
--engine=random and --engine=optuna, with --trials=N.
"""

CONFIG = 'configs/dcgan_emoji.py'
METRIC = ('eval/swd', 'min', 'final')


def sweep(add):
    for learning_rate in (5e-5, 2e-4, 1e-3):
        for b1 in (0.5, 0.9):
            add({'optimizer.learning_rate': learning_rate, 'optimizer.b1': b1})


def space(draw):
    draw.log_uniform('optimizer.learning_rate', 1e-5, 5e-3)
    draw.uniform('optimizer.b1', 0.0, 0.95)
