"""`python launch.py --config=...`, see gan_vae/commands.py."""

import sys

from gan_vae.commands import main

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
