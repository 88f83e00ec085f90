"""The public functions of the package: `import gan_vae as gv`.

Pictures are uint8 [n, H, W, C] in 0..255. Whatever a caller can put right is a
`gv.UserError` of one line. JAX is imported by the functions that compute.
"""

import functools
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan_vae import arrays
from gan_vae import config as config_lib
from gan_vae.errors import UserError, counted, nearest, unknown
from gan_vae.flags import python_words

if TYPE_CHECKING:
    from gan_vae.evaluation.card import Card

BATCH = 64  # examples that are computed together, at most


class Run(NamedTuple):
    """A trained run: its folder, its last step, and its summary.json."""

    path: Path
    step: int
    summary: dict[str, Any]


class Score(NamedTuple):
    """A metric of a run, and how it was measured."""

    value: float
    protocol: str


class Result(NamedTuple):
    """What an art tool wrote: its folder, and its pictures, each uint8 [H, W, C]."""

    folder: Path
    images: list[np.ndarray]


@python_words()
def load_config(spec: str, overrides: Mapping[str, Any] | None = None) -> Any:
    """Loads a config file and returns its validated ConfigDict.

    spec: 'path.py' or 'path.py:variant'. overrides: {'section.key': value}, as values
    or as text. Raises UserError for a file, key or value that does not exist.

    >>> config = load_config('configs/vae_emoji.py:tiny', {'method.beta': 4.0})
    >>> config.method.beta, config.train.steps
    (4.0, 4)
    """
    if not isinstance(spec, str):
        raise UserError(f"{spec!r} is no config: give 'path.py' or 'path.py:variant'")
    return config_lib.load(spec, _texts(overrides))


@python_words()
def train(config: Any, workdir: str | Path | None = None) -> Run:
    """Trains until `config.train.steps`, from where the folder of the run stands.

    config: a ConfigDict as `load_config` returns it, or the path of a config file.
    workdir: the folder of the run; by default runs/NAME. Raises UserError for a config
    that cannot be trained or a folder of another run, and RunError, a UserError, for
    divergence. Ctrl-C is a KeyboardInterrupt here: the last checkpoint stands, whereas
    the command saves the step at hand first.

    >>> run = train('configs/mlp_gan_mnist.py:tiny', 'runs/mine')
    >>> run.step
    4
    """
    _prepare()
    from gan_vae.training import loop

    if isinstance(config, str | Path):
        config = load_config(str(config))
    if not hasattr(config, 'train'):
        raise UserError(f'train takes a config or its path, not {config!r}')
    workdir = Path(workdir or Path('runs') / config.name)
    summary = loop.train(config, workdir)
    return Run(workdir, summary['step'], summary)


@python_words(workdir='run')
def open(run: str | Path | Run, step: int | str | None = None) -> 'Model':
    """Opens a trained model.

    run: the folder of a run, a `Run`, or a model of the package such as
    'pretrained:emoji_vae'. step: of the checkpoint, or 'best'; by default the newest.
    Raises UserError where there is no run, or no such checkpoint.

    >>> model = open('pretrained:emoji_vae')
    >>> model.shape, model.latent_size
    ((32, 32, 3), 64)
    """
    if not isinstance(run, str | Path | Run) or run == '':
        raise UserError(f'{run!r} is no run: give the folder of one')
    _prepare()
    return Model(str(run.path if isinstance(run, Run) else run), step)


class Model:
    """A trained model, by its averaged weights.

    workdir: where it was opened; config: of its run; record: step, state_sha256 and
    git_commit; shape: (H, W, C) of its pictures, None of a model of sequences;
    latent_size: D, 0 of a model without latents; classes: their names, () without.
    """

    def __init__(self, workdir: str, step: int | str | None = None):
        from gan_vae import data
        from gan_vae.runs import folder, opened, packed

        self.workdir = workdir
        self.config, self._method, weights, self.record = opened.load(workdir, step)
        self._weights = self._method.settle(weights)
        settings, method = self.config.data, self._method
        self._kind, size = data.kind_of(settings.name), settings.image_size
        self.shape = None
        if self._kind == 'images':
            self.shape = (size, size, settings.channels)
        self.latent_size = method.latents.size if method.latents else 0
        names = folder.read_classes(packed.find(workdir))
        self.classes: tuple[str, ...] = names if method.classes else ()

    @python_words()
    def sample(
        self,
        n: int = 16,
        *,
        seed: int = 0,
        classes: 'Classes' = None,
        truncation: float | None = None,
        temperature: float | None = None,
        prompt: str | Sequence[str] | None = None,
        guidance: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> np.ndarray | list[np.ndarray]:
        """Draws n samples; sample i depends on the seed and i, and not on n.

        Returns uint8 [n, H, W, C]; of a model of sequences a list of n arrays [T, D].
        seed: from 0 to 2**32 - 1. classes: a name or number for all, or one for each;
        by default each class in turn. truncation: latents are drawn again until each
        of their numbers is within +- this; of StyleGAN2, the factor of the distance of
        styles to their mean. temperature: factor of the deviations of latents, or what
        the logits of codes are divided by. prompt: of a model of captions, one for all,
        or one for each; words that it does not know are left out. guidance, top_k,
        top_p: of a prior over codes, by default as its config says: the scale of its
        condition, and how many of the likeliest codes, or of which probability.
        Raises UserError for what the model does not have.

        >>> open('pretrained:emoji_gan').sample(2, seed=1).shape
        (2, 32, 32, 3)
        """
        _whole('n', n, 1, 100_000)
        _whole('seed', seed, 0, 2**32 - 1)
        for name, value in (('truncation', truncation), ('temperature', temperature)):
            real = isinstance(value, int | float | np.number)
            if value is not None and not (real and 0 <= value < np.inf):
                raise UserError(f'{name}={value!r}: must be a number of at least 0')
        if truncation is not None and temperature is not None:
            raise UserError('truncation and temperature both narrow the prior: one')
        labels = self._labels(classes, n)
        if self.shape is None:
            from gan_vae.art import sequences

            if truncation is not None:
                raise UserError('truncation is of pictures, not of sequences')
            return sequences.draw(self._method, self._weights, seed, n, temperature)
        from gan_vae.methods import sampling

        law = {'guidance': guidance, 'top_k': top_k, 'top_p': top_p}
        if self._method.code_prior:
            if truncation is not None:
                raise UserError('truncation: this model has no prior of latents')
            law['temperature'] = temperature
            return self._by_codes(n, seed, labels, prompt, law)
        given = {k: v for k, v in (law | {'prompt': prompt}).items() if v is not None}
        if lacking := given.keys() - {'prompt'}:
            self._required('code_prior', min(lacking))
        if prompt is not None:
            labels = self._words(n, prompt)
        if truncation is not None and self._method.latents is None:
            raise UserError('truncation: this model has no prior of latents')
        return sampling.draw(
            self._method, self._weights, seed, n, labels, truncation, temperature
        )

    def _by_codes(self, n, seed, labels, prompt, law) -> np.ndarray:
        """Samples of a prior over codes."""
        from gan_vae.methods import prompting
        from gan_vae.methods.contract import Law

        if prompt is not None:
            words = self._words(n, prompt)
        elif labels is not None:
            words = prompting.words_of(self._method, labels)
        else:
            words = prompting.words_drawn(self._method, seed, n)
        return prompting.draw(self._method, self._weights, seed, n, words, Law(**law))

    def _words(self, n: int, prompt: str | Sequence[str]) -> np.ndarray:
        """The numbers int32 [n, length] of the words of prompts."""
        from gan_vae.methods import prompting

        captions: Any = self._required('captions', 'prompt')
        prompts = [prompt] if isinstance(prompt, str) else prompt
        if not isinstance(prompts, list | tuple) or not all(
            isinstance(p, str) for p in prompts
        ):
            raise UserError(f'prompt={prompt!r}: give a text, or a list of texts')
        if len(prompts) not in (1, n):
            raise UserError(
                f'{counted(len(prompts), "prompt")} for {counted(n, "sample")}: '
                f'give one or {n}'
            )
        rows = np.stack([prompting.numbers(captions.text, p)[0] for p in prompts])
        return np.broadcast_to(rows, (n, rows.shape[-1]))

    def tokenise(self, images: np.ndarray) -> np.ndarray:
        """The codes int32 [n, h, w] of uint8 pictures [n, H, W, C].

        Raises UserError as `encode` does, and for a model without discrete codes.

        >>> import numpy as np
        >>> run = train('configs/vq_vae_art.py:tiny', 'runs/codes')
        >>> open(run).tokenise(np.zeros((3, 32, 32, 3), np.uint8)).shape
        (3, 8, 8)
        """
        function = self._required('codes.encode', 'tokenise')
        return self._apply(function, [self._seen(images)])

    def detokenise(self, codes: np.ndarray) -> np.ndarray:
        """The pictures uint8 [n, H, W, C] of codes, integers [n, h, w].

        Raises UserError for codes of another shape or out of range, and for a model
        without discrete codes.
        """
        function = self._required('codes.decode', 'detokenise')
        own: Any = self._method.codes
        codes = np.asarray(codes)
        if codes.dtype.kind not in 'iu' or codes.shape[1:] != own.shape:
            shape = ', '.join(map(str, own.shape))
            raise UserError(
                f'codes are {codes.dtype} {list(codes.shape)}: give integers '
                f'[n, {shape}]'
            )
        if not len(codes) or codes.min() < 0 or codes.max() >= own.size:
            raise UserError(f'codes are from 0 to {own.size - 1}, one map at least')
        from gan_vae import images

        return images.to_uint8(self._apply(function, [codes.astype(np.int32)]))

    def translate(self, images: np.ndarray) -> np.ndarray:
        """The pictures uint8 that a network from picture to picture makes of pictures
        uint8 [n, H, W, C].

        Raises UserError for a model that is none, and for pictures of a size that it
        does not take: a pix2pix, a cut and a cyclegan take their own alone.

        >>> import numpy as np
        >>> grey = np.full((1, 40, 60, 3), 128, np.uint8)
        >>> open('pretrained:restore').translate(grey).shape
        (1, 40, 60, 3)
        """
        function = self._required('translation', 'translate')
        own = self._method.translates == 'its size'
        images = arrays.pictures(images, 'images', self.shape if own else None)
        from gan_vae import images as pictures
        from gan_vae.art import network

        self._coloured(images)
        made = [
            network.translated(function, self._weights, pictures.from_uint8(x))
            for x in images
        ]
        return pictures.to_uint8(np.stack(made))

    def restore(
        self,
        image: np.ndarray,
        *,
        mask: np.ndarray | None = None,
        noise: float | None = None,
        blur: float | None = None,
        quality: float | None = None,
        factor: int = 1,
    ) -> np.ndarray:
        """A damaged picture uint8 [H, W, C] of any size, restored.

        mask: bool [H, W], True where a pixel is missing. What is known of the damage:
        noise, its deviation in grey levels; blur, its deviation in pixels; quality, of
        JPEG, 1 to 100. Without them the network finds out. factor: 2 or 4 times as
        large. Raises UserError for a model that does not restore.

        >>> import numpy as np
        >>> grey = np.full((40, 60, 3), 128, np.uint8)
        >>> open('pretrained:restore').restore(grey, factor=2).shape
        (80, 120, 3)
        """
        function = self._required('restoration', 'restore')
        from gan_vae import images as pictures
        from gan_vae.art import network
        from gan_vae.objectives import damage

        if np.ndim(image) != 3:
            raise UserError(
                f'restore takes one picture, uint8 [H, W, C]; the image has the shape '
                f'{np.shape(image)}'
            )
        picture = arrays.pictures(np.asarray(image)[None], 'the pixels')
        self._coloured(picture)
        for name, value, least, most in (
            ('noise', noise, 0, damage.MOST_NOISE),
            ('blur', blur, 0, damage.MOST_BLUR),
            ('quality', quality, 1, 100),
        ):
            real = isinstance(value, int | float | np.number)
            if value is not None and not (real and least <= value <= most):
                raise UserError(
                    f'{name}={value!r}: must be a number from {least} to {most:g}'
                )
        if factor not in (1, 2, 4):
            raise UserError(f'factor={factor!r}: must be 1, 2 or 4')
        y = np.asarray(pictures.from_uint8(picture[0]))
        missing = np.zeros(y.shape[:2], bool) if mask is None else np.asarray(mask)
        if missing.shape != y.shape[:2] or missing.dtype != bool:
            raise UserError(
                f'mask is {missing.dtype} {missing.shape}: give bool {y.shape[:2]}'
            )
        if missing.all():
            raise UserError('everything is missing: leave something to be seen')
        if factor > 1 and missing.any():
            raise UserError('mask and factor: fill what is missing, then enlarge')
        known = (~missing)[..., None].astype(np.float32)
        larger = factor if factor > 1 else None
        row = damage.told(noise, blur, quality, larger)
        if factor > 1:
            y = network.enlarged(y, factor)
            known = np.ones_like(y[..., :1])
        x = network.restored(function, self._weights, y, known, row)
        if mask is not None:
            x = np.where(known > 0, y, x)
        return pictures.to_uint8(x)

    def encode(self, images: np.ndarray, *, classes: 'Classes' = None) -> np.ndarray:
        """The latents float32 [n, D] of uint8 pictures [n, H, W, C].

        classes: as in `sample`, of a model that is given the class. Raises UserError
        for arrays of another type or size, and for a model without an encoder.

        >>> import numpy as np
        >>> white = np.full((3, 32, 32, 3), 255, np.uint8)
        >>> open('pretrained:emoji_vae').encode(white).shape
        (3, 64)
        """
        function = self._required('latents.encode', 'encode')
        x = self._seen(images)
        return self._apply(function, [x], self._labels(classes, len(x)))

    def decode(self, latents: np.ndarray, *, classes: 'Classes' = None) -> np.ndarray:
        """The pictures uint8 [n, H, W, C] of latents, floats [n, D].

        classes: as in `sample`. Raises UserError for arrays of another shape, NaN or
        infinity, and for a model without latents.

        >>> import numpy as np
        >>> open('pretrained:emoji_vae').decode(np.zeros((1, 64))).dtype
        dtype('uint8')
        """
        function = self._required('latents.decode', 'decode')
        z = arrays.vectors(latents, 'latents')
        if np.abs(z).max() > 1e6:
            raise UserError(f'latents up to {np.abs(z).max():g}: give at most 1e6')
        z = z.astype(np.float32)
        if z.shape[1] != self.latent_size:
            raise UserError(
                f'latents have {z.shape[1]} numbers each: give [n, {self.latent_size}]'
            )
        from gan_vae import images

        x = self._apply(function, [z], self._labels(classes, len(z)))
        return images.to_uint8(x)

    def elbo(self, images: np.ndarray, *, seed: int = 0) -> np.ndarray:
        """The evidence lower bound of log p(x), in nats per picture, float32 [n].

        images: uint8 [n, H, W, C]. seed: of the one latent that is drawn for each.
        Raises UserError as `encode` does, and for a model without a likelihood.

        >>> import numpy as np
        >>> white = np.full((3, 32, 32, 3), 255, np.uint8)
        >>> bool(np.isfinite(open('pretrained:emoji_vae').elbo(white)).all())
        True
        """
        function = self._required('density.elbo', 'elbo')
        _whole('seed', seed, 0, 2**32 - 1)
        return self._apply(function, [self._seen(images)], None, seed)

    def _required(self, capability: str, what: str) -> Callable:
        from gan_vae.methods.contract import required

        if self.shape is None:
            raise UserError(f'{what} is of pictures, and this model is of {self._kind}')
        return required(self._method, capability, what)

    def _coloured(self, images: np.ndarray):
        """A UserError for pictures with other channels than those of the model."""
        if images.shape[-1] != self.config.data.channels:
            raise UserError(
                f'pictures have {images.shape[-1]} channel(s), and this model takes '
                f'{self.config.data.channels}'
            )

    def _seen(self, images: np.ndarray) -> np.ndarray:
        """float32 in [-1, 1], binarised if the model was trained on such; checked."""
        import jax

        from gan_vae.data import augment
        from gan_vae.keys import keys_of

        images = arrays.pictures(images, 'images', self.shape)
        plain = augment.make(False, 0, self.config.data.binarize)
        keys = keys_of(jax.random.key(0), jax.numpy.arange(len(images)))
        return np.asarray(plain(keys, images))

    def _labels(self, classes: 'Classes', n: int) -> np.ndarray | None:
        """Numbers of classes, int32 [n], of names or numbers."""
        if classes is None:
            return None
        if not self.classes:
            raise UserError(f'classes={classes!r}: this model has no classes')
        values = [classes] if isinstance(classes, str | int) else list(classes)
        if len(values) not in (1, n):
            raise UserError(
                f'{counted(len(values), "class")} for {counted(n, "example")}: '
                f'give one or {n}'
            )
        numbers = []
        for value in values:
            if isinstance(value, str):
                if value not in self.classes:
                    raise unknown('class', value, self.classes)
                value = self.classes.index(value)
            numbers.append(_whole('class', value, 0, len(self.classes) - 1))
        return np.resize(np.array(numbers, np.int32), n)

    def _apply(self, function, inputs, labels=None, seed: int | None = None):
        """function(weights, [key,] *inputs [, labels]) in batches, as one array."""
        import jax

        n, parts = len(inputs[0]), []
        size = min(BATCH, 1 << (n - 1).bit_length())  # few programs, little waste
        for start in range(0, n, size):
            rows = np.minimum(np.arange(start, start + size), n - 1)
            values = [x[rows] for x in inputs]
            if seed is not None:
                key = jax.random.fold_in(jax.random.key(seed), start)
                values = [key, *values]
            if labels is not None:
                values.append(labels[rows])
            parts.append(np.asarray(_jitted(function)(self._weights, *values)))
        return np.concatenate(parts)[:n]


Classes = str | int | Sequence[str | int] | np.ndarray | None


@functools.lru_cache(maxsize=64)
def _jitted(function: Callable) -> Callable:
    import jax

    return jax.jit(function)


@python_words(workdir='run')
def evaluate(
    run: str | Path | Run,
    metrics: str | Sequence[str] | None = None,
    *,
    split: str = '',
    num: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
) -> dict[str, Score]:
    """Measures a run: {name: Score} of its objective on a split, and of its samples.

    metrics: as 'swd,kid_random' or as a list of names, by default config.eval.metrics;
    split: of the objective, by default config.data.eval_split; num: of samples; step:
    as in `open`.
    Raises UserError for metrics that do not exist or that the run cannot have.

    >>> run = train('configs/mlp_gan_mnist.py:tiny', 'runs/mine')
    >>> sorted(evaluate(run, 'swd', num=8))[-1]
    'swd_28'
    """
    _prepare()
    from gan_vae.evaluation.run import evaluate_run

    path = run.path if isinstance(run, Run) else run
    names = None if metrics is None else _names(metrics)
    results = evaluate_run(path, split, names, num, seed, step)
    return {
        name.removeprefix('eval/'): Score(result['value'], result['protocol'])
        for name, result in results.items()
    }


@python_words()
def measure(
    samples: np.ndarray,
    reference: np.ndarray,
    metrics: str | Sequence[str] = 'swd',
    *,
    seed: int = 0,
) -> 'dict[str, Card]':
    """Compares the samples of any generator with real pictures: {name: Card}.

    samples, reference: uint8 [n, H, W, C] of one size. metrics: as 'swd,kid_random'
    or as a list of names. seed: of random subsets and projections. A Card has `value`
    and the protocol of the measurement, which `card.line()` prints. Raises UserError
    for arrays of another type or size, and for metrics that need classes or a model.

    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> x, y = random.integers(0, 256, (2, 40, 16, 16, 3), dtype=np.uint8)
    >>> round(measure(x, y, 'swd')['swd_16'].value)
    28
    """
    names = _names(metrics)
    if not names:
        raise UserError("metrics are empty: name one, as 'swd'")
    reference = arrays.pictures(reference, 'reference')
    samples = arrays.pictures(samples, 'samples', reference.shape[1:])
    _whole('seed', seed, 0, 2**32 - 1)
    _prepare()
    from gan_vae.data.source import Examples
    from gan_vae.devices.mesh import mesh_of
    from gan_vae.evaluation import panel

    real = panel.Pictures('arrays', Examples(reference))
    compared = panel.Panel(names, real, mesh_of(1, 1), seed=seed)
    return compared.measure(samples, {'pictures': 'arrays'}, 'uint8 as given')


@python_words(workdir='model', force='force=True')
def make(
    tool: str, *inputs: str | Path, model: 'Model | str | Path' = '', **flags: Any
) -> Result:
    """Runs a tool of `gan_vae art` and returns its pictures and their folder.

    inputs: the files or words that the tool takes; model: opened, or the folder of a
    run; flags: as `gan_vae art TOOL --help` lists them, `class_` for --class; `out` is
    the folder. Raises UserError as the command does.

    >>> result = make('sample', model='pretrained:emoji_gan', num=2, out='pictures')
    >>> len(result.images), result.images[0].shape
    (2, (32, 32, 3))
    """
    from gan_vae.art import making, tools

    chosen = tools.find(tool)
    known = tools.flags_of(chosen)
    values = {name: flag.default for name, flag in known.items()}
    if model:
        flags['workdir'] = model.workdir if isinstance(model, Model) else model
    for word, value in flags.items():
        name = word.rstrip('_')
        if name not in known:
            raise UserError(f'{tool} has no flag {name!r}{nearest(name, known)}')
        kind = known[name].kind
        try:
            values[name] = bool(value) if kind is bool else kind(str(value))
        except ValueError as error:
            raise UserError(f'{tool}: {name}={value!r}: {error}') from error
    _whole('seed', values['seed'], 0, 2**32 - 1)
    for word in inputs:
        if not isinstance(word, str | Path):
            raise UserError(
                f'{tool} takes files, and not a {type(word).__name__}: save it as PNG, '
                'and give its path'
            )
    least, most = tools.count_of(chosen.takes)
    if not least <= len(inputs) <= most:
        raise UserError(f'{tool} takes {chosen.takes or "no files"}: {len(inputs)}')
    folder, result = making.make(tool, [str(i) for i in inputs], Namespace(**values))
    return Result(Path(folder), [picture.image for picture in result.pictures])


def _prepare():
    """Sets what JAX and its libraries read when they start."""
    from gan_vae.devices import process

    process.prepare()


def _texts(overrides: Mapping[str, Any] | None) -> dict[str, str]:
    """Values as --config.KEY= takes them."""
    if not isinstance(overrides, Mapping | None):
        raise UserError(f"overrides are {{'section.key': value}}, not {overrides!r}")
    return {
        key: value if isinstance(value, str) else repr(value)
        for key, value in (overrides or {}).items()
    }


def _names(metrics: str | Sequence[str]) -> str:
    return metrics if isinstance(metrics, str) else ','.join(map(str, metrics))


def _whole(name: str, value: Any, low: int, high: int) -> int:
    """An integer in [low, high]; a UserError for anything else."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise UserError(
            f'{name}={value!r}: must be a whole number from {low} to {high}'
        )
    return int(value)
