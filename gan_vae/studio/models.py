"""The trained models that the page knows, what they can do, and quick pictures of them.

A page knows a model by an id. Two models stay open; their programs are compiled once.
"""

import hashlib
import io
import re
import threading
from argparse import Namespace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image

from gan_vae import data
from gan_vae.art import latents, making, provenance, tools
from gan_vae.art.tools import Model
from gan_vae.data import texts
from gan_vae.errors import UserError
from gan_vae.methods import sampling
from gan_vae.runs import folder as run_folder
from gan_vae.runs import packed

EXAMPLES = 12  # captions that are shown
MOST_MOVES = 32  # sliders
FEW = 6  # classes that are named


class Models:
    """Runs by their ids: those that are named, the package's, and those in `runs`."""

    def __init__(self, named: list[str], runs: Path):
        self.runs, self._named, self._lock = runs, named, threading.Lock()
        self._by_id: dict[str, str] = {}
        self._by_record: dict[str, str] = {}  # by the name that a record has of it
        self.listed()

    def listed(self) -> list[dict]:
        """JSON of all, those that were named first."""
        found = dict.fromkeys(self._named)
        found |= dict.fromkeys(f'pretrained:{name}' for name in packed.names())
        if self.runs.is_dir():
            found |= dict.fromkeys(str(p) for p in sorted(self.runs.iterdir()))
        listed = []
        for workdir in found:
            if about := _outline(workdir):
                self._by_id[about['id']] = workdir
                for name in (workdir, provenance.recorded_name(workdir)):
                    self._by_record.setdefault(name, workdir)
                listed.append(about)
        return listed

    def workdir(self, name: str) -> str:
        """Of an id; a UserError where there is none."""
        if name not in self._by_id:
            raise UserError('no such model')
        return self._by_id[name]

    def folders(self) -> dict[str, Path]:
        """{id: folder} of the runs that are not of the package."""
        return {m['id']: Path(m['workdir']) for m in self.listed() if not m['shipped']}

    def recorded(self, name: str) -> str:
        """The workdir of a model by its name in a record; '' for none that is known."""
        return self._by_record.get(name, '')

    def open(self, name: str) -> Model:
        """A model, opened."""
        workdir = self.workdir(name)
        with self._lock:
            return _opened(workdir, _written(workdir))

    def about(self, name: str) -> dict:
        """JSON of what a model can do. It is opened."""
        model = self.open(name)
        method, latent = model.method, model.method.latents
        captions = method.captions
        return {
            'kind': model.kind,
            'size': model.config.data.image_size,
            'classes': list(model.classes) if method.classes else [],
            'latents': latent is not None,
            'styles': bool(latent and latent.styles),
            'groups': len(latent.groups) if latent else 0,
            'codes': method.code_prior is not None,
            'rewords': bool(method.code_prior and method.code_prior.score),
            'translates': method.translation is not None,
            'draws': method.generate is not None,
            'words': list(captions.text.words) if captions else [],
            'examples': _examples(method) if captions else [],
            'factors': _factors(model),
        }

    def preview(
        self, name: str, thing: str, along: list[str], strengths: list[float], seed: int
    ) -> bytes:
        """The PNG of a picture moved along directions, which is not kept.

        thing: the path of a picture with a latent, or the number of a sample; along:
        paths of pictures of `directions`.
        """
        if len(along) > MOST_MOVES or len(along) != len(strengths):
            raise UserError(f'{MOST_MOVES} directions at most, and a strength for each')
        if not np.isfinite(strengths).all() or np.abs(strengths).max(initial=0) > 1e3:
            raise UserError('a strength is a number up to 1000')
        model = self.open(name)
        z, label = latents.of_input(model, provenance.read_input(thing), seed)
        if along:
            z = (z + latents.along(model, along, strengths)).astype(np.float32)
        (picture,) = sampling.decode(model.method, model.weights, z[None], label)
        return png(picture)


def png(picture: np.ndarray) -> bytes:
    """uint8 [H, W, C] as PNG."""
    buffer = io.BytesIO()
    array = picture[..., 0] if picture.shape[-1] == 1 else picture
    Image.fromarray(array).save(buffer, 'PNG', compress_level=1)
    return buffer.getvalue()


def _outline(workdir: str) -> dict | None:
    """JSON of a run without opening it; None for what is no trained run."""
    try:
        folder = packed.find(workdir)
        if not packed.is_packed(folder) and not (folder / 'checkpoints').is_dir():
            return None
        written = (folder / 'config.json').stat().st_mtime_ns
        return _outlined(workdir, written)
    except (UserError, OSError):
        return None


@lru_cache(1000)
def _outlined(workdir: str, _: int) -> dict:
    config = run_folder.read_config(packed.find(workdir))
    kind = data.kind_of(config.data.name)
    size, captioned = config.data.image_size, config.data.text != 'none'
    words = [config.method.name.replace('_', ' ')]
    words += [f'{size} px'] * (kind == 'images') + ['by words'] * captioned
    words.append(f'of {_subject(workdir, config.data.name)}')
    name = workdir.removeprefix('pretrained:')
    return {
        'id': hashlib.sha256(workdir.encode()).hexdigest()[:20],
        'name': name if name != workdir else Path(workdir).name,
        'shipped': workdir.startswith('pretrained:'),
        'workdir': workdir,
        'kind': kind,
        'method': config.method.name,
        'says': ', '.join(words),
    }


def _subject(workdir: str, name: str) -> str:
    """What a model learned from: its classes, if few, or its set without folders."""
    classes = run_folder.read_classes(packed.find(workdir))
    if 1 < len(classes) <= FEW:
        return ', '.join(classes)
    prefix, _, rest = name.partition(':')
    rest = re.sub(r'=\d+', '', rest).replace('+', ', ')
    return f'{prefix} {PurePath(rest).name}'.strip()


def _written(workdir: str) -> float:
    """When the newest checkpoint of a run was written."""
    folder = packed.find(workdir)
    places = [folder / packed.WEIGHTS, *(folder / 'checkpoints').glob('*')]
    return max((p.stat().st_mtime for p in places if p.exists()), default=0.0)


@lru_cache(2)
def _opened(workdir: str, _: float) -> Model:
    flags = Namespace(workdir=workdir, step=None)
    anything = tools.ToolWithModel(
        make=lambda _: tools.Result(), kinds=('images', 'rolls', 'strokes', 'text')
    )
    model = making.open_model('studio', anything, flags)
    assert model is not None
    return model


def _examples(method: Any) -> list[str]:
    rows = np.asarray(sampling.conditions(method, 0, EXAMPLES))
    return list(dict.fromkeys(texts.string(method.captions.text, row) for row in rows))


def _factors(model: Model) -> list[str]:
    """Names of factors of the data that directions may be found for."""
    name = model.config.data.name
    if not name.startswith('art:') or model.method.latents is None:
        return []
    from gan_vae.data.readers import art

    return list(art.factor_values(art.parse(name.removeprefix('art:'))))
