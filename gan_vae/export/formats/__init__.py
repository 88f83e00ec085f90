"""The formats of gan_vae export, each a module found by its name."""
