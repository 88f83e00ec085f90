"""Where a config file begins: `default.get_config()`, see gan_vae/config/default.py."""

from gan_vae.config.default import get_config, with_variant

__all__ = ['get_config', 'with_variant']
