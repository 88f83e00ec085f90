"""The decoder as ONNX, for onnxruntime in any language; any number of examples."""

import onnxruntime

from gan_vae import files
from gan_vae.export import decoder as decoders
from gan_vae.export import graph

FILE = 'decoder.onnx'


def write(model, workdir, folder) -> list[str]:
    """The graph, which onnxruntime has run and compared with the model."""
    raw, line = drawn(model)
    files.write(folder / FILE, raw)
    return [f'{FILE}: {line}']


def drawn(model) -> tuple[bytes, str]:
    """(the graph, a line about it)."""
    decoder = decoders.of(model)
    about = {'config': model.config.name, 'usage': decoders.usage(decoder)}
    traced = graph.traced(decoder.function, decoder.shapes)
    made = graph.graph(traced, decoder.names, 'pictures', about)
    raw = made.SerializeToString()
    session = onnxruntime.InferenceSession(raw, providers=['CPUExecutionProvider'])
    given = dict(zip(decoder.names, decoder.examples(), strict=True))
    apart = decoders.compared(decoder, session.run(None, given)[0], 'ONNX')
    return raw, (
        f'{decoders.usage(decoder)} in [-1, 1], {len(made.graph.node)} nodes, '
        f'{len(raw):,} bytes, within {apart:.1e} of the model'
    )
