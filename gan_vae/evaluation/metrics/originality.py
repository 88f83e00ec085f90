"""Are samples new? Distances to the nearest training image, against held-out images'.

Held-out real images are as far from the training set as new images are. Let t be their
r-th smallest distance of m, r = (m + 1) / 100. For a generator that draws from the law
of the data, of n samples a number

  N ~ BetaBinomial(n, r, m + 1 - r),   E[N / n] = r / (m + 1) = 1/100

is nearer than t: the ranks of exchangeable distances, whatever their law. (A plain
binomial law takes t as known, and calls chance a copy.) Copies of training images
raise N. The test by ranks is that of data copying: Meehan et al. 2020,
arXiv:2004.05675; the law of N is of order statistics: Wilks 1942.
"""

import numpy as np

from gan_vae.errors import UserError
from gan_vae.evaluation.manifold import nearest
from gan_vae.evaluation.metrics import LOWER, SampleMetric
from gan_vae.images import grid


def originality(train, held_out, fake) -> dict:
    """Compares samples with held-out images, both by distance to the training set.

    Takes features [*, d] of training images, held-out real ones (99 or more) and
    samples. L2 distances, float64: 'median_nearest_fake', 'median_nearest_real',
    'share_below_1st_percentile' of the samples, 'share_expected' of new ones, 'low' and
    'high' (what 95 % of perfect generators lie within), 'p_value' (of so many or more
    from a perfect generator). 'pairs' int [n, 2]: (sample, its nearest training image),
    closest first, and 'distances' [n] of those. Raises UserError where shapes do not
    fit, and where held-out images are themselves copies.
    """
    m = len(held_out)
    if m < 99:
        raise UserError(
            f'{m} held-out images: a 1st percentile needs 99 of them at least'
        )
    real, _ = nearest(held_out, train, 1)
    distances, neighbours = nearest(fake, train, 1)
    real, distances, neighbours = real[:, 0], distances[:, 0], neighbours[:, 0]
    result = tested(real, distances)
    if result['limit'] == 0:
        raise UserError(
            f'{int(np.sum(real == 0))} of {m} held-out images are copies of training '
            'images: take them out of one of the two'
        )
    order = np.lexsort((neighbours, distances))
    return result | {
        'median_nearest_fake': float(np.median(distances)),
        'median_nearest_real': float(np.median(real)),
        'pairs': np.stack([order, neighbours[order]], 1),
        'distances': distances[order],
    }


def tested(real: np.ndarray, fake: np.ndarray) -> dict:
    """The test, of distances [m] of new images and [n] of samples.

    'limit': the r-th smallest of `real`, of fewer than 99 the smallest; and the shares,
    'low', 'high' and 'p_value' of `originality`.
    """
    from scipy.stats import betabinom  # takes a second

    m, n = len(real), len(fake)
    r = max(1, (m + 1) // 100)
    limit = np.partition(real, r - 1)[r - 1]
    count = int(np.sum(fake < limit))
    law = np.cumsum(betabinom.pmf(np.arange(n + 1), n, r, m + 1 - r))
    return {
        'limit': float(limit),
        'share_below_1st_percentile': count / n,
        'share_expected': r / (m + 1),
        'low': int(np.searchsorted(law, 0.025)) / n,
        'high': int(np.searchsorted(law, 0.975)) / n,
        'p_value': 1.0 if count == 0 else float(max(0.0, 1 - law[count - 1])),
    }


def compute(real, fake, held_out, seed) -> dict[str, float]:
    result = originality(real, held_out, fake)
    return {'near': result['share_below_1st_percentile'], 'near_p': result['p_value']}


def closest(real, fake, real_images, samples, count: int = 24) -> np.ndarray:
    """The `sheet` of the `count` samples closest to a reference picture.

    real, fake: features [*, d] of the uint8 pictures real_images, samples.
    """
    distances, neighbours = nearest(fake, real, 1)
    order = np.argsort(distances[:, 0], kind='stable')[:count]
    return sheet(samples, real_images, zip(order, neighbours[order, 0], strict=True))


def sheet(samples, train, pairs, columns: int = 4) -> np.ndarray:
    """A uint8 picture of `pairs` [p, 2], `columns` a row: sample, then training image.

    samples, train: uint8 [*, H, W, C] in the order of the features.
    """
    both = [images for i, j in pairs for images in (samples[i], train[j])]
    return grid(np.stack(both), 2 * columns)


METRIC = SampleMetric(
    needs='features',
    compute=compute,
    gives={'near': LOWER},
    needs_held_out=True,
    baseline={'near': 0.01},
    sheet=closest,
)
