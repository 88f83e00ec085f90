"""The decoder as jax.export writes it, for JAX without this package, on CPU and CUDA.

JAX reads such a file for about six months; an archive is safetensors.
"""

import jax
from jax import export

from gan_vae import files
from gan_vae.export import decoder as decoders
from gan_vae.models import convolutions

FILE, PLATFORMS = 'decoder.jax', ('cpu', 'cuda')


def write(model, workdir, folder) -> list[str]:
    """The function with its weights, for any number of examples."""
    decoder = decoders.of(model)
    (b,) = export.symbolic_shape('b')
    arguments = [jax.ShapeDtypeStruct((b, *s), dtype) for s, dtype in decoder.shapes]
    with convolutions.plain():
        function = jax.jit(decoder.function)
        written = export.export(function, platforms=PLATFORMS)(*arguments)
    raw = bytearray(written.serialize())
    outputs = export.deserialize(raw).call(*decoder.examples())
    apart = decoders.compared(decoder, outputs, 'the exported function')
    files.write(folder / FILE, bytes(raw))
    return [
        f'{FILE}: {decoders.usage(decoder)} in [-1, 1], {len(raw):,} bytes, within '
        f'{apart:.1e} of the model, JAX {jax.__version__}'
    ]
