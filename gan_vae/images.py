"""Pictures: [-1, 1] <-> uint8 (the one place that rounds), grids, files of each.

x in [-1, 1]  ->  round((x + 1) * 127.5) in 0..255  ->  u / 127.5 - 1.
"""

import io
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np

from gan_vae import files, modules

SOURCES = (  # of the IPTC's list of digital source types
    'trainedAlgorithmicMedia',
    'compositeWithTrainedAlgorithmicMedia',
    'algorithmicallyEnhanced',
    'algorithmicMedia',
)
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType='
    '"http://cv.iptc.org/newscodes/digitalsourcetype/{}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


def to_uint8(images) -> np.ndarray:
    """Float images [..., C] in [-1, 1] (clipped) to uint8 on the host."""
    scaled = (np.asarray(images, np.float32) + 1.0) * 127.5
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def from_uint8(images):
    """uint8 images to float32 in [-1, 1]; works on NumPy and JAX arrays."""
    return images.astype('float32') * np.float32(1 / 127.5) - np.float32(1.0)


def columns(classes: int) -> int | None:
    """Of a grid in which so many classes take turns: each has its own, if they fit."""
    return classes if 1 < classes <= 16 else None


def grid(images: np.ndarray, columns: int | None = None, pad: int = 2) -> np.ndarray:
    """uint8 [N, H, W, C] -> one uint8 picture [H', W', C], row-major, light seams."""
    n, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    height, width = height + pad, width + pad
    sheet = np.full(
        (rows * height + pad, columns * width + pad, channels), 235, np.uint8
    )
    for i, image in enumerate(images):
        y, x = divmod(i, columns)
        y, x = y * height + pad, x * width + pad
        sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
    return sheet


def beside(pictures: np.ndarray) -> np.ndarray:
    """[n, H, W, C] of pictures; of pairs [n, H, W, 2 C] the two beside each other."""
    channels = pictures.shape[-1]
    if channels in (1, 3):
        return pictures
    return np.concatenate(np.split(pictures, 2, -1), 2)


def _to_pil(image: np.ndarray, zoom: int = 1):
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if zoom > 1:
        size = (picture.width * zoom, picture.height * zoom)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    return picture


def png_info(provenance: dict | None = None, source: str = ''):
    """What a PNG says of itself: `provenance` as JSON in the text chunk `gan_vae`, and
    as XMP one of SOURCES, by which other programs know what a machine has made."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if provenance is not None:
        info.add_text('gan_vae', json.dumps(provenance, sort_keys=True))
    if xmp := xmp_of(source):
        info.add_itxt('XML:com.adobe.xmp', xmp)
    return info


def xmp_of(source: str) -> str:
    """The XMP packet of one of SOURCES; '' of anything else."""
    return XMP.format(source) if source in SOURCES else ''


def gif_with_xmp(gif: bytes, xmp: str) -> bytes:
    """A GIF with XMP in an application extension before its first picture, where
    Adobe's XMP specification, part 3, wants it; it is UTF-8 without 0 bytes.

    The 258 bytes after it lead a reader of blocks to the end from wherever it comes.
    """
    table = 3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0
    start = 13 + table
    end = bytes([1, *range(255, -1, -1), 0])
    block = b'\x21\xff\x0bXMP DataXMP' + xmp.encode() + end
    return gif[:start] + block + gif[start:]


def mp4_with_xmp(mp4: bytes, xmp: str) -> bytes:
    """An MP4 with XMP in a box at its end: Adobe's XMP specification, part 3."""
    box = b'uuid' + bytes.fromhex('be7acfcb97a942e89c71999491e3afac') + xmp.encode()
    return mp4 + (len(box) + 4).to_bytes(4, 'big') + box


def save_png(path, image: np.ndarray, provenance: dict | None = None, zoom: int = 1):
    """Writes uint8 [H, W, C] (C 1, 3 or 4) as PNG, whole or not at all.

    `provenance` travels with it; read it back with `read_provenance`. Its
    `digital_source_type` is XMP as well.
    """
    info = png_info(provenance, (provenance or {}).get('digital_source_type', ''))
    file = io.BytesIO()
    _to_pil(image, zoom).save(file, format='PNG', pnginfo=info)
    files.write(path, file.getvalue())


def read_provenance(path) -> dict:
    """The provenance written by `save_png`, or {} where there is none."""
    from PIL import Image

    with Image.open(path) as picture:
        return json.loads(picture.info.get('gan_vae', '{}'))


def _film(frames: list[np.ndarray], smallest: int) -> list:
    """The frames as RGB, enlarged until a side has `smallest` pixels."""
    zoom = -(-smallest // min(frames[0].shape[:2]))
    return [_to_pil(frame, zoom).convert('RGB') for frame in frames]


def save_gif(
    path,
    frames: list[np.ndarray],
    seconds: float = 8.0,
    provenance: dict | None = None,
    smallest: int = 1,
):
    """Writes uint8 frames [H, W, C] as a looping GIF; the last frame stays longer.

    Pixels are repeated until a side has `smallest` of them. `provenance` travels as
    JSON in the comment, its `digital_source_type` as XMP as well.
    """
    comment = {}
    if provenance is not None:
        comment['comment'] = json.dumps(provenance, sort_keys=True).encode()
    pictures = [picture.quantize(128) for picture in _film(frames, smallest)]
    duration = [max(40, int(1000 * seconds / len(pictures)))] * len(pictures)
    duration[-1] = 2000
    file = io.BytesIO()
    pictures[0].save(
        file,
        format='GIF',
        save_all=True,
        append_images=pictures[1:],
        duration=duration,
        loop=0,
        **comment,
    )
    xmp = xmp_of((provenance or {}).get('digital_source_type', ''))
    raw = file.getvalue()
    files.write(path, gif_with_xmp(raw, xmp) if xmp else raw)


def save_mp4(
    path,
    frames: list[np.ndarray],
    seconds: float = 8.0,
    provenance: dict | None = None,
    smallest: int = 256,
):
    """Writes uint8 frames [H, W, C] of one size as H.264 in MP4, for any player.

    Pixels are repeated until a side has `smallest` of them. `provenance` travels as
    JSON in the comment, its `digital_source_type` as XMP as well. A UserError without
    PyAV (the extra `video`).
    """
    film = 'a film in MP4 (a GIF needs none)'
    av = modules.optional('av', film, 'PyAV', 'video')
    pictures = _film(frames, smallest)
    # half as many colours as pixels, each way: sides are even
    height, width = (side + side % 2 for side in pictures[0].size[::-1])
    file = io.BytesIO()
    with av.open(
        file, 'w', format='mp4', container_options={'fflags': '+bitexact'}
    ) as container:
        if provenance is not None:
            container.metadata['comment'] = json.dumps(provenance, sort_keys=True)
        rate = Fraction(len(frames) / seconds).limit_denominator(1000)
        # one thread: the same bytes each time
        stream = container.add_stream(
            'libx264', rate, options={'crf': '16', 'threads': '1'}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        for picture in pictures:
            below, right = height - picture.height, width - picture.width
            even = np.pad(picture, ((0, below), (0, right), (0, 0)), 'edge')
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    xmp = xmp_of((provenance or {}).get('digital_source_type', ''))
    raw = file.getvalue()
    files.write(path, mp4_with_xmp(raw, xmp) if xmp else raw)


def comment_of_mp4(path) -> str:
    """The comment of an MP4 file; '' without one, or without PyAV."""
    try:
        import av.error
    except ImportError:
        return ''
    try:
        with av.open(str(path), format='mp4') as container:
            return container.metadata.get('comment', '')
    except (av.error.FFmpegError, OSError, ValueError):
        return ''


def time_lapse(folder, path) -> bool:
    """Makes a GIF of `folder`/<step>.png in order of step; False if there are none."""
    from PIL import Image

    pngs = [f for f in Path(folder).glob('*.png') if f.stem.isdigit()]
    pngs.sort(key=lambda f: int(f.stem))
    pngs = pngs[:: max(1, len(pngs) // 60)] + pngs[-1:]
    if not pngs:
        return False
    frames = [np.asarray(Image.open(f).convert('RGB')) for f in pngs]
    save_gif(path, [f for f in frames if f.shape == frames[-1].shape])
    return True
