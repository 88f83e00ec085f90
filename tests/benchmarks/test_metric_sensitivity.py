"""The ladder of faults: a picture is extracted once, and gets its own features."""

from types import SimpleNamespace

import numpy as np

from benchmarks.quality.metric_sensitivity import by_picture


def test_seen_pictures_are_not_extracted_again():
    asked = []

    def extract(extractor, images, mesh):
        asked.append(len(images))
        sums = images.sum((1, 2, 3), dtype=np.float64)
        return {'features': np.stack([sums, extractor.factor * sums], 1)}

    one, other = (SimpleNamespace(name=f'{f}', factor=f) for f in (2, 3))
    remembered = by_picture(extract)
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), np.uint8)
    mixed = images[[8, 0, 0, 3]]
    mixed[1] ^= 255
    for extractor, pictures in ((one, images[:8]), (one, mixed), (other, mixed)):
        found = remembered(extractor, pictures, None)['features']
        expected = extract(extractor, pictures, None)['features']
        np.testing.assert_array_equal(found, expected)
    assert asked[::2] == [8, 2, 4]
