"""One HTML page that draws in any browser, offline, with onnxruntime-web inside.

Its runtime is fetched once: python -m gan_vae.data.prepare onnxruntime_web.
"""

import base64
import gzip
import html
import json
from pathlib import Path

from gan_vae import files
from gan_vae.data import packages, prepared
from gan_vae.export import decoder as decoders
from gan_vae.export.formats import onnx
from gan_vae.runs import folder as run_folder

FILE = 'draw.html'
TEMPLATE = Path(__file__).parents[1] / 'static' / 'sampler.html'
RUNTIME = 'ort.wasm.bundle.min.mjs'
WASM = 'ort-wasm-simd-threaded.wasm'


def write(model, workdir, folder) -> list[str]:
    """The page, whose graph onnxruntime has compared with the model."""
    runtime = _runtime()
    raw, _ = onnx.drawn(model)
    decoder = decoders.of(model)
    shape = decoder.outputs()
    classes = run_folder.read_classes(workdir) if model.method.classes else ()
    config = {
        'name': model.config.name,
        'size': decoder.shapes[0][0][0],
        'height': shape[0],
        'width': shape[1],
        'classes': list(classes),
    }
    about = f'A {model.config.method.name} after {model.record["step"]:,} steps.'
    parts = {
        'TITLE': html.escape(model.config.name),
        'ABOUT': html.escape(about),
        'VERSION': packages.ONNXRUNTIME_WEB.version,
        'CONFIG': json.dumps(config).replace('<', '\\u003c'),
        'RUNTIME': _packed(runtime[RUNTIME]),
        'WASM': _packed(runtime[WASM]),
        'MODEL': _packed(raw),
    }
    page = files.filled(TEMPLATE.read_text('utf-8'), parts)
    files.write(folder / FILE, page)
    size = (folder / FILE).stat().st_size
    return [f'{FILE}: opens in a browser, from a disk too, {size:,} bytes']


def _packed(raw: bytes) -> str:
    return base64.b64encode(gzip.compress(raw, mtime=0)).decode()


def _runtime() -> dict[str, bytes]:
    """The files of onnxruntime-web that a page needs."""
    folder = prepared.data_dir() / 'downloads'
    file = packages.downloaded(packages.ONNXRUNTIME_WEB, folder, 'onnxruntime_web')
    prefix, found = 'package/dist/', {}
    names = tuple(prefix + name for name in (RUNTIME, WASM))
    largest = 64 * packages.MIB
    for name, raw in packages.read(file, names, max_member_bytes=largest):
        found[name.removeprefix(prefix)] = raw
    return found
