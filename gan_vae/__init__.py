"""Train, evaluate and make art with GANs and VAEs in JAX."""

import os

__version__ = '0.1.0'

# Read by TensorFlow when the writer or TFDS first imports it: no banner in a run's log.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
