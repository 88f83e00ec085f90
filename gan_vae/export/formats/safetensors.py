"""Weights as safetensors with config and card: a hub's folder, and a --workdir here."""

from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed


def write(model, workdir, folder) -> list[str]:
    """The files of a packed model, its weights in model.safetensors."""
    size = packed.pack(
        model.config,
        run_folder.read_classes(workdir),
        model.weights,
        model.carried,
        folder,
        half=False,
        text=run_folder.read_text(workdir),
        weights_file=packed.SAFE,
    )
    return [
        f'{packed.SAFE}: averaged weights, {size:,} bytes',
        'config.json: the config of the run',
    ]
