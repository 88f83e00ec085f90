"""The page of the models that the package ships: a card and samples of each."""

from pathlib import Path

from gan_vae.runs import packed

SAMPLES = 24


def pages(folder: Path, quick: bool) -> dict[str, str]:
    """{'models.md': text}; samples are written beside it, unless `quick`."""
    parts = [
        '# Model cards',
        'These models are part of the package. `gan_vae export` writes the same card '
        'beside what it exports; [results](results/README.md) have the measurements.',
    ]
    for name in packed.names():
        parts += _card(name, folder, quick)
    return {'models.md': '\n\n'.join(parts)}


def _card(name: str, folder: Path, quick: bool) -> list[str]:
    import gan_vae
    from gan_vae import images
    from gan_vae.export import card
    from gan_vae.runs import opened

    word = f'pretrained:{name}'
    size = sum(f.stat().st_size for f in packed.find(word).iterdir()) / 1e6
    model = opened.load(word)
    parts = [f'## `{word}`', f'{size:.1f} MB.']
    parts += card.described(model, packed.find(word))
    if not quick and model.method.translation is None:
        sheet = images.grid(gan_vae.open(word).sample(SAMPLES), columns=8)
        images.save_png(folder / 'pictures' / f'card_{name}.png', sheet)
        parts.append(f'![Samples of {name}](pictures/card_{name}.png)')
        parts.append(f'*The first {SAMPLES} samples of seed 0, none selected.*')
    return parts
