"""Where a config file begins: `default.get_config(METHOD)`, see gan_vae/config."""

from gan_vae.config.default import get_config, update, use_method, with_variant

__all__ = ['get_config', 'update', 'use_method', 'with_variant']
