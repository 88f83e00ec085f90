"""Pictures of a run: its data, samples, reconstructions and traversals of latents."""

from typing import Any, NamedTuple

import jax
import numpy as np

from gan_vae import data, images, media
from gan_vae.data.sequences import Sequences
from gan_vae.data.source import Examples
from gan_vae.evaluation import copies as copies_lib
from gan_vae.evaluation import latents
from gan_vae.keys import keys_of, purpose_key
from gan_vae.learning.state import TrainState
from gan_vae.methods.contract import Latents
from gan_vae.runs import folder as run_folder
from gan_vae.runs.program import Program

PAIRS = 32  # held-out examples, at most, beside their reconstructions


class Gallery(NamedTuple):
    """The pictures of one run, written by a Writer."""

    config: Any
    program: Program
    examples: Examples | Sequences
    held_out: Examples | Sequences
    num: int  # of samples, and of examples
    copies: copies_lib.Check

    @property
    def kind(self) -> str:
        return self.examples.kind

    def draw_data(self, writer, state: TrainState, order: np.ndarray):
        """The first examples of that order, and what the networks are."""
        from clu import parameter_overview

        picture = images.grid(media.of_examples(self.examples, order[: self.num]))
        writer.picture(0, 'data', picture)
        table = parameter_overview.get_parameter_overview(
            state.params, include_stats=False
        )
        writer.text('parameters', table)

    def draw(self, writer, state: TrainState, step: int):
        """The fixed-seed samples, and reconstructions where the method can; a line
        where the samples are copies."""
        method, seed = self.program.method, self.config.train.seed
        key = purpose_key(jax.random.key(seed), 'samples')
        weights = method.settle(state.weights())
        if generate := self.program.generate:
            samples = generate(weights, key, self.num)
        else:
            samples = _compiled(method.show)(state.weights(), self._seen(state)[0])
        about = {
            'config': self.config.name,
            'seed': seed,
            'step': step,
            'git_commit': run_folder.git_commit(),
        }
        pictures = media.pictures(self.kind, samples)
        writer.samples(step, pictures, about, method.classes)
        writer.audios(step, media.audio(self.kind, samples))
        if generate and (line := self.copies.warning(pictures, step)):
            writer.say(line)
        if diagnose := self.program.diagnose:
            values = jax.device_get(diagnose(state))
            writer.scalars(step, {f'spectral/{k}': v for k, v in values.items()})
        if reconstruct := self._reconstruct():
            self._draw_pairs(reconstruct, writer, state, step)

    def _draw_pairs(self, reconstruct, writer, state, step):
        method = self.program.method
        real, label = self._seen(state)
        both = real, reconstruct(state.weights(), real, label)
        pairs = np.stack([media.pictures(self.kind, x) for x in both], axis=1)
        picture = images.grid(pairs.reshape(-1, *pairs.shape[2:]), columns=8)
        writer.picture(step, 'reconstructions', picture)
        if (its := method.latents) and its.posterior:
            self._along_units(its, writer, state, step, real, label)

    def _seen(self, state) -> tuple:
        """Held-out examples, and their classes if the method has some."""
        rows = np.arange(min(PAIRS, self.held_out.size))
        keys = keys_of(purpose_key(state.rng, 'data'), rows)
        batch = self.program.preprocess(keys, self.held_out.gather(rows))
        label = batch['label'] if self.program.method.classes else None
        return data.content(batch), label

    def _reconstruct(self):
        """(weights, examples, label) -> their reconstructions; None if it has none."""
        method = self.program.method
        if method.show:
            return None
        if plain := method.reconstruct or method.translation:
            again = _compiled(plain)
            return lambda weights, x, label: again(weights, x)
        latents = method.latents
        if latents and latents.encode:
            encode, decode = _compiled(latents.encode), _compiled(latents.decode)
            return lambda weights, x, label: decode(
                weights, encode(weights, x, label), label
            )
        return None

    def _along_units(self, its: Latents, writer, state, step, real, label):
        """The KL of each unit, and what those with the most do to one example."""
        posterior = _compiled(its.posterior)
        mean, log_variance = posterior(state.weights(), real, label)
        kl = latents.kl_per_unit(mean, log_variance)
        writer.histogram(step, 'kl_per_unit', kl)
        units = latents.by_kl(kl)
        z = latents.along(np.asarray(mean[0]), units, latents.VALUES)
        z = z.reshape(-1, z.shape[-1])
        label = None if label is None else np.full(len(z), label[0])
        decoded = _compiled(its.decode)(state.weights(), z, label)
        pictures = media.pictures(self.kind, decoded)
        picture = images.grid(pictures, columns=len(latents.VALUES))
        writer.picture(step, 'traversals', picture)


def _compiled(function: Any) -> Any:
    """One of a Method's, which JAX compiles once: called as it is, loops in it are
    compiled anew at each call, and the memory of all of them is kept."""
    return jax.jit(function)
