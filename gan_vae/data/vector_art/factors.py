"""The factors of a drawing: which parts and colours of it can be seen.

A colour is a factor of a drawing if a visible part of it is painted with it, which the
style's file says part by part: DiceBear chooses colours that nothing is painted with.
"""

import functools
from collections.abc import Iterator
from typing import Any

from gan_vae.data.vector_art import drawing, styles
from gan_vae.data.vector_art.words import NONE


def choice(options: dict[str, Any], factor: str) -> str:
    """What was chosen for a factor, be it seen or not."""
    if factor.endswith('Color'):
        return next(iter(options.get(factor) or ()), NONE)
    return options.get(f'{factor}Variant', NONE)


@functools.cache
def values(style: str, factor: str) -> tuple[str, ...]:
    """All values of a factor, in the order of the style's file, and NONE at last."""
    about = drawing.definition(style)
    if factor.endswith('Color'):
        known = about['colors'][factor.removesuffix('Color')]['values']
    else:
        known = about['components'][factor]['variants']
    return (*known, NONE)


def seen(style: str, options: dict[str, Any]) -> dict[str, str]:
    """{factor: value} of a drawing; NONE where it cannot be seen. {} without words."""
    words = styles.of(style)
    if words is None:
        return {}
    paint = painted(style, options)
    found = {
        factor: choice(options, factor)
        if not factor.endswith('Color') or factor.removesuffix('Color') in paint
        else NONE
        for factor in words.factors
    }
    for factor, (other, those) in words.unseen.items():
        if found[other] in those:
            found[factor] = NONE
    return found


def painted(style: str, options: dict[str, Any]) -> set[str]:
    """The colours, without 'Color', that a visible part of a drawing is painted with.

    Visible is a part that is a factor or `coloured`, or that all drawings have alike.
    """
    words = styles.of(style)
    found = {'background'}
    for part, variants in _references(style).items():
        listed = words is None or part in (*words.factors, *words.coloured)
        if listed or len(variants) == 1:
            chosen = options.get(f'{part}Variant', NONE)
            found |= variants.get(chosen, set())
    return found


@functools.cache
def _references(style: str) -> dict[str, dict[str, set[str]]]:
    """{part: {variant: colours that it refers to}}; part '' is the canvas."""
    about = drawing.definition(style)
    found = {'': {NONE: {*_colours(about['canvas'])}}}
    for part, component in about['components'].items():
        if 'variants' in component:
            found[part] = {
                name: {*_colours(variant)}
                for name, variant in component['variants'].items()
            }
    return found


def _colours(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get('type') == 'color':
            yield node['name']
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _colours(inner)
