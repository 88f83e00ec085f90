"""emoji_set:noto, emoji_set:twemoji: the emoji of Google or Twitter, by npm; and
emoji_set:noto>twemoji: the same emoji in both drawings as pairs.

They have names (captions), categories (labels), and splits 80/10/10 by the base
codepoint, equal in both. Skin tones but the yellow one are left out. Pictures of Noto
are of Google (Apache-2.0), those of Twemoji of Twitter, Inc. and others (CC BY 4.0).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gan_vae.data import cache, listing, noto_emoji, packages, prepared
from gan_vae.data.pictures import Fit, fit
from gan_vae.data.settings import Settings
from gan_vae.data.source import Examples, paired
from gan_vae.data.splits import ByHash
from gan_vae.errors import unknown

KIND, REST = 'images', 'noto|twemoji'
SETS = {  # whose pictures, and their package
    'noto': ('google', noto_emoji.PACKAGE),
    'twemoji': ('twitter', noto_emoji.TWEMOJI),
}
LICENCES = {
    'noto': 'Apache-2.0 (Google, Noto Emoji)',
    'twemoji': 'CC BY 4.0 (Twitter, Inc. and others, Twemoji)',
}


def licence(rest: str, settings: Settings) -> str:
    """Of one set, or of both."""
    return ', '.join(text for name, text in LICENCES.items() if name in rest)


def load(rest: str, split: str, settings: Settings) -> Examples:
    """The emoji of `split`, of one set, or the pairs of two."""
    first, arrow, second = rest.partition('>')
    if not arrow:
        return _of_set(rest, split, settings)
    return paired(*(_of_set(name, split, settings) for name in (first, second)))


def _of_set(name: str, split: str, settings: Settings) -> Examples:
    if name not in SETS:
        raise unknown('set of emoji', name, SETS)
    style, package = SETS[name]
    how, by_hash = Fit.of(settings), ByHash('emoji_set', split)
    folder = prepared.data_dir(settings.dir) / 'downloads'
    key = {
        'emoji_set': package.sha256,
        'tenths': by_hash.tenths,
        'most': by_hash.most,
        'fit': how,
    }

    def parse(about: dict[str, Any]) -> Iterator[tuple[np.ndarray, int, str]]:
        path = packages.downloaded(package, folder, 'emoji_set')
        emoji = noto_emoji.read(path, style)
        about['class_names'] = list(noto_emoji.CATEGORIES)
        chosen = by_hash.of({one.base for one in emoji})
        inside = [e for e in emoji if e.base in chosen and e.skin_tone == 'none']
        inside = inside[: by_hash.most]
        for one in listing.progress(inside, 'emoji_set', len(inside), 'emoji read'):
            number = noto_emoji.CATEGORIES.index(one.category)
            yield fit(one.picture(), how), number, one.name

    return cache.cached(key, how.shape, parse, settings)
