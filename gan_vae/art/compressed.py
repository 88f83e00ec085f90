"""Files of compressed images: what wrote them, and the words of the codec's stack.

  magic | uint32 n | header, n bytes of JSON | words, uint32 | SHA-256 of all before

All little-endian. The header has hashes of the model's weights and of the images.
"""

import hashlib
import io
import json
import operator
import struct
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from gan_vae import files, images
from gan_vae.art import codec, features, sheets
from gan_vae.art.making import load
from gan_vae.data.pictures import Fit, open_picture
from gan_vae.errors import UserError
from gan_vae.methods.contract import capability, required
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed, seen

MAGIC = b'gan_vae codec 2\n'
HEADER = {  # what a header must have
    'model': str,
    'count': int,
    'shape': list,
    'levels': int,
    'initial': int,
    'images': str,
    'jax': str,
}
MOST = 2**32  # bytes of pixels that a file may claim
WEBP = {'lossless': True, 'quality': 100, 'method': 6}
WEBP_SIDE = 16383  # pixels of a side that WebP takes, at most


def write(path, header: dict, words: np.ndarray):
    """The file, whole or not at all."""
    text = json.dumps(header, sort_keys=True).encode()
    content = MAGIC + struct.pack('<I', len(text)) + text
    content += np.asarray(words, '<u4').tobytes()
    try:
        files.write(path, content + hashlib.sha256(content).digest())
    except OSError as error:
        raise UserError(f'cannot write {path}: {error.strerror}') from error


def read(path) -> tuple[dict, np.ndarray]:
    """(header, words) of a file. UserError if it is none, or not whole, or altered."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror}') from error
    if not content.startswith(MAGIC):
        raise UserError(f'{path} is no file of this codec')
    body, digest = content[:-32], content[-32:]
    if hashlib.sha256(body).digest() != digest:
        raise UserError(f'{path} was altered or cut short: copy it again')
    try:
        (size,) = struct.unpack_from('<I', body, len(MAGIC))
        begin = len(MAGIC) + 4
        header = json.loads(body[begin : begin + size])
        words = np.frombuffer(body[begin + size :], '<u4').astype(np.uint32)
        if any(type(header[name]) is not kind for name, kind in HEADER.items()):
            raise ValueError('of another type')
        height, width, channels = (operator.index(n) for n in header['shape'])
        pixels = header['count'] * height * width * channels
        if not 0 < pixels <= MOST or not 0 <= header['initial'] <= MOST:
            raise ValueError('out of range')
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise UserError(f'{path} has a damaged header') from error
    return header, words


def _hash(levels: np.ndarray) -> str:
    return hashlib.sha256(levels.tobytes()).hexdigest()


def encode(workdir, place: str, num: int, out) -> tuple[int, dict[str, float], list]:
    """Writes at most `num` images in one file: how many, {what: bits for each value},
    and messages.

    place: a folder of pictures, or SET[:SPLIT], by default the run's own eval_split.
    """
    method, weights, about = load(workdir)
    coder_of = capability(method, 'density.coder')
    if coder_of is None:
        raise UserError(
            f'{workdir} has no codec: it takes a VAE of images, without classes'
        )
    coder = coder_of(weights)
    settings = run_folder.read_config(packed.find(workdir)).data
    top = coder.likelihood.levels - 1
    place, messages = features.place_of(place), []
    if place and files.expand(place).is_dir():
        levels, messages = _pictures(place, Fit.of(settings).shape, top, num)
    else:
        name, _, split = place.partition(':')
        with settings.unlocked():
            settings.name = name or settings.name
        batches = seen.seen(settings, split or settings.eval_split, num, 0)
        x = np.concatenate([x for x, _ in batches])
        levels = np.round((x + 1) * top / 2).astype(np.uint8)
    coded = codec.encode(coder, levels)
    header = {
        'model': about['state_sha256'],
        'config': about['config'],
        'step': about['step'],
        'count': len(levels),
        'shape': list(levels.shape[1:]),
        'levels': top + 1,
        'initial': coded.initial,
        'images': _hash(levels),
        'jax': jax.__version__,
    }
    write(out, header, coded.words)
    each = {
        'file': 8 * Path(out).stat().st_size,
        'net of the initial bits': 32 * (len(coded.words) - coded.initial),
        'negative ELBO': _bound(method.density.elbo, weights, levels, top),
    } | _sizes((levels * (255 // top)).astype(np.uint8), top)
    bits = {name: total / levels.size for name, total in each.items()}
    if bits['file'] >= min(b for name, b in bits.items() if name.startswith('PNG')):
        messages.append(
            'no smaller than PNG: this model knows no such pictures, or they are few'
        )
    return len(levels), bits, messages


def _bound(elbo: Callable, weights, levels: np.ndarray, top: int) -> float:
    """The negative ELBO of levels, in bits."""
    bound, total = jax.jit(elbo), 0.0
    for start in range(0, len(levels), codec.BATCH):
        x = 2 * levels[start : start + codec.BATCH].astype(np.float32) / top - 1
        total -= float(bound(weights, jax.random.key(start), x).sum())
    return total / np.log(2)


def _sizes(grey: np.ndarray, top: int) -> dict[str, int]:
    """Bits of pictures uint8 [n, H, W, C] in other formats."""

    def size(picture: np.ndarray, form: str, **options) -> int:
        file, image = io.BytesIO(), sheets.pil(picture)
        if top == 1 and form == 'PNG':
            image = image.convert('1')
        image.save(file, form, **options)
        return 8 * file.getbuffer().nbytes

    sizes = {
        'PNG, a file each': sum(size(g, 'PNG', optimize=True) for g in grey),
        'WebP, a file each': sum(size(g, 'WEBP', **WEBP) for g in grey),
    }
    sheet = images.grid(grey, pad=0)
    if max(sheet.shape) <= WEBP_SIDE:
        sizes['PNG, one sheet'] = size(sheet, 'PNG', optimize=True)
        sizes['WebP, one sheet'] = size(sheet, 'WEBP', **WEBP)
    return sizes


def _pictures(place: str, shape: tuple[int, ...], top: int, num: int):
    """(levels of the pictures of a folder as they are, what was left out of it).

    A UserError for pictures of another shape.
    """
    mode, levels = 'L' if shape[2] == 1 else 'RGB', []
    paths, left_out = features.picture_files(place)
    for file in paths[:num]:
        picture = open_picture(file)
        if picture.mode == '1' and mode == 'L':
            picture = picture.convert('L')
        if picture.mode != mode or picture.size != (shape[1], shape[0]):
            raise UserError(
                f'{file} is {picture.mode} {picture.size[0]}x{picture.size[1]}, '
                f'but the model takes {mode} {shape[1]}x{shape[0]}: convert it first'
            )
        levels.append(np.asarray(picture, np.uint8).reshape(shape))
    grey = np.stack(levels)
    if top == 1 and not np.isin(grey, (0, 255)).all():
        raise UserError(f'{place}: the model takes black and white pixels alone')
    return grey // (255 // top), features.message_of(left_out)


def decode(workdir, path, out) -> int:
    """Writes the images of a file as PNGs in a folder; how many."""
    header, words = read(path)
    method, weights, about = load(workdir)
    coder_of = capability(method, 'density.coder')
    if coder_of is None or header['model'] != about['state_sha256']:
        raise UserError(
            f'{path} was written by another model ({header["model"][:12]}) than that '
            f'of {workdir} ({about["state_sha256"][:12]})'
        )
    coder, shape = coder_of(weights), tuple(header['shape'])
    generate = required(method, 'generate', 'codec')
    x = jax.eval_shape(lambda key: generate(weights, key, 1), jax.random.key(0))
    levels = coder.likelihood.levels
    if shape != x.shape[1:] or header['levels'] != levels:
        raise UserError(
            f'{path} holds pictures of {shape} with {header["levels"]} levels, and the '
            f'model takes {x.shape[1:]} with {levels}'
        )
    coded, count = codec.Coded(words, header['initial']), header['count']
    hint = '' if header['jax'] == jax.__version__ else f', as with jax {header["jax"]}'
    try:
        decoded = codec.decode(coder, coded, count, shape)
    except UserError as error:
        raise UserError(f'{path}: {error}{hint}') from error
    if _hash(decoded) != header['images']:
        raise UserError(
            f'{path} cannot be read on this machine: its last bits differ{hint}'
        )
    grey = (decoded * (255 // (levels - 1))).astype(np.uint8)
    try:
        for number, picture in enumerate(grey):
            images.save_png(Path(out) / f'{number:06d}.png', picture)
    except OSError as error:
        raise UserError(f'cannot write in {out}: {error.strerror}') from error
    return count
