"""Files of compressed images: what wrote them, and the words of the codec's stack.

  magic | uint32 n | header, n bytes of JSON | words, uint32 | SHA-256 of all before

All little-endian. The header names the model by the hash of its weights, and the
images by a hash of their levels, so that nothing but those images is ever given back.
"""

import argparse
import hashlib
import io
import json
import struct
from pathlib import Path

import jax
import numpy as np

from gan_vae import files, images
from gan_vae.art import codec, features, progress
from gan_vae.art.making import load
from gan_vae.errors import UserError, counted
from gan_vae.methods.contract import capability
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed
from gan_vae.runs import seen as seen_lib

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
        wrong = [k for k, kind in HEADER.items() if type(header.get(k)) is not kind]
        shape = header['shape']
        wrong += ['shape'] * (len(shape) != 3 or any(type(n) is not int for n in shape))
    except (struct.error, ValueError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f'{path} has a damaged header') from error
    pixels = header['count'] * int(np.prod(shape)) if not wrong else 0
    if wrong or not 0 < pixels <= MOST or not 0 <= header['initial'] <= MOST:
        raise UserError(f'{path} has a damaged header')
    return header, words


def _hash(levels: np.ndarray) -> str:
    return hashlib.sha256(levels.tobytes()).hexdigest()


def encode(workdir, place: str, num: int, out) -> tuple[dict[str, float], list[str]]:
    """Writes images in one file; {what: bits for each value}, of which `count` images,
    and messages.

    place: a folder of pictures, or SET[:SPLIT], by default the run's own eval_split.
    """
    method, weights, about = load(workdir)
    if capability(method, 'density.coder') is None:
        raise UserError(
            f'{workdir} has no codec: it takes a VAE of images, without classes'
        )
    coder, config = (
        method.density.coder(weights),
        run_folder.read_config(packed.find(workdir)),
    )
    top = coder.likelihood.levels - 1
    place, messages = features.place_of(place), []
    if place and files.expand(place).is_dir():
        size = config.data.image_size
        shape = size, size, config.data.channels
        levels, messages = _pictures(place, shape, top, num)
    else:
        name, _, split = place.partition(':')
        settings = config.data
        with settings.unlocked():
            settings.name = name or settings.name
        split = split or settings.eval_split
        seen = [x for x, _ in seen_lib.seen(settings, split, num, 0)]
        levels = np.round((np.concatenate(seen) + 1) * top / 2).astype(np.uint8)
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
    bits = _bits(method, weights, levels, coded, Path(out))
    pngs = [name for name in bits if name.startswith('PNG')]
    if bits['file'] >= min(bits[name] for name in pngs):
        messages.append(
            'no smaller than PNG: this model knows no such pictures, or they are few'
        )
    return {'count': len(levels)} | bits, messages


def _bits(method, weights, levels, coded, path) -> dict[str, float]:
    top = method.density.coder(weights).likelihood.levels - 1
    bound = jax.jit(method.density.elbo)
    total = 0.0
    for start in range(0, len(levels), codec.BATCH):
        x = 2 * levels[start : start + codec.BATCH].astype(np.float32) / top - 1
        total -= float(bound(weights, jax.random.key(start), x).sum())
    grey = (levels * (255 // top)).astype(np.uint8)
    each = {
        'file': 8 * path.stat().st_size,
        'net of the initial bits': 32 * (len(coded.words) - coded.initial),
        'negative ELBO': total / np.log(2),
        'PNG, a file each': sum(_size(g, top, 'PNG', optimize=True) for g in grey),
        'WebP, a file each': sum(_size(g, top, 'WEBP', **WEBP) for g in grey),
    }
    sheet = images.grid(grey, pad=0)
    if max(sheet.shape) <= 16383:  # the most that WebP takes
        each['PNG, one sheet'] = _size(sheet, top, 'PNG', optimize=True)
        each['WebP, one sheet'] = _size(sheet, top, 'WEBP', **WEBP)
    return {name: bits / levels.size for name, bits in each.items()}


WEBP = {'lossless': True, 'quality': 100, 'method': 6}


def _size(picture: np.ndarray, top: int, form: str, **options) -> int:
    """Bits of a picture in a format."""
    from PIL import Image

    file = io.BytesIO()
    made = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    if top == 1 and form == 'PNG':
        made = made.convert('1')
    made.save(file, form, **options)
    return 8 * file.getbuffer().nbytes


def _pictures(place: str, shape: tuple, top: int, num: int):
    """(levels of the pictures of a folder as they are, what was left out of it).

    A UserError for pictures of another shape.
    """
    from gan_vae.data.pictures import open_picture

    mode, levels = 'L' if shape[2] == 1 else 'RGB', []
    files, left_out = features.picture_files(place)
    for file in files[:num]:
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
    if (
        capability(method, 'density.coder') is None
        or header['model'] != about['state_sha256']
    ):
        raise UserError(
            f'{path} was written by another model ({header["model"][:12]}) than that '
            f'of {workdir} ({about["state_sha256"][:12]})'
        )
    coder, count, shape = (
        method.density.coder(weights),
        header['count'],
        tuple(header['shape']),
    )
    made = jax.eval_shape(
        lambda key: method.generate(weights, key, 1), jax.random.key(0)
    )
    levels = coder.likelihood.levels
    if shape != made.shape[1:] or header['levels'] != levels:
        raise UserError(
            f'{path} holds pictures of {shape} with {header["levels"]} levels, and the '
            f'model takes {made.shape[1:]} with {levels}'
        )
    coded = codec.Coded(words, header['initial'])
    hint = '' if header['jax'] == jax.__version__ else f', as with jax {header["jax"]}'
    try:
        found = codec.decode(coder, coded, count, shape)
    except UserError as error:
        raise UserError(f'{path}: {error}{hint}') from error
    if _hash(found) != header['images']:
        raise UserError(
            f'{path} cannot be read on this machine: its last bits differ{hint}'
        )
    grey = (found * (255 // (levels - 1))).astype(np.uint8)
    try:
        for number, picture in enumerate(grey):
            images.save_png(Path(out) / f'{number:06d}.png', picture)
    except OSError as error:
        raise UserError(f'cannot write in {out}: {error.strerror}') from error
    return count


USAGE = """python -m gan_vae.art codec encode --workdir=RUN --out=FILE [--num=N]
                             [--data=FOLDER or SET[:SPLIT]]
python -m gan_vae.art codec decode --workdir=RUN FILE --out=FOLDER

Images as one file, without loss, and back; by default of the run's held-out split."""


def main(argv: list[str]) -> int:
    """python -m gan_vae.art codec: the exit status, or a UserError."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('way', nargs='?')
    parser.add_argument('files', nargs='*')
    parser.add_argument('--help', '-h', action='store_true')
    for name in ('workdir', 'out', 'data'):
        parser.add_argument(f'--{name}', default='')
    parser.add_argument('--num', type=int, default=None)

    def fail(message: str):
        raise UserError(f'codec: {message}; see python -m gan_vae.art codec --help')

    parser.error = fail
    flags = parser.parse_intermixed_args(argv)
    if flags.help:
        print(USAGE)
        return 0
    if flags.way not in ('encode', 'decode'):
        fail(f'{flags.way or "nothing"}: encode or decode')
    for name in ('workdir', 'out'):
        if not getattr(flags, name):
            fail(f'--{name} is missing')
    if flags.way == 'decode':
        if len(flags.files) != 1 or flags.data or flags.num is not None:
            fail('decode takes one file, --workdir and --out')
        with progress.reported('codec'):
            count = decode(flags.workdir, flags.files[0], flags.out)
        print(f'{counted(count, "image")} in {flags.out}')
        return 0
    if flags.files:
        fail('encode takes no files: --data=FOLDER')
    num = 10_000 if flags.num is None else flags.num
    if num < 1:
        fail(f'--num={num}: must be at least 1')
    with progress.reported('codec'):
        bits, messages = encode(flags.workdir, flags.data, num, flags.out)
    for line in messages:
        print(line)
    number = counted(int(bits.pop('count')), 'image')
    print(f'{number} in {flags.out}; bits for each value:')
    for name, value in bits.items():
        print(f'  {name:24s} {value:.4f}')
    return 0
