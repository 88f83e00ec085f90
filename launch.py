"""`python launch.py --config=...`: the modes are in gan_vae/commands.py."""

from gan_vae import interrupt
from gan_vae.commands import main

if __name__ == '__main__':
    interrupt.command(main)
