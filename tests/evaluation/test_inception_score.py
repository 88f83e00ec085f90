"""Inception score: 1 for no information, K for K classes told surely and evenly."""

import numpy as np
import pytest

from gan_vae.errors import UserError
from gan_vae.evaluation.inception_score import inception_score


@pytest.mark.parametrize('splits', [1, 3, 10])
def test_uniform_is_one(splits):
    np.testing.assert_allclose(inception_score(np.zeros((100, 7)), splits), (1, 0))


@pytest.mark.parametrize('classes', [2, 5])
def test_sure_and_even_is_the_number_of_classes(classes):
    """Also beside classes that no picture has, whose probability is 0 exactly."""
    logits = np.tile(np.eye(8)[:classes] * 1e4, (20, 1))
    mean, deviation = inception_score(logits, splits=1)
    np.testing.assert_allclose(mean, classes)
    assert deviation == 0


def test_one_split_is_at_least_the_mean_of_many():
    logits = np.random.default_rng(0).normal(0, 2, (200, 10))
    assert inception_score(logits, 1)[0] > inception_score(logits, 10)[0] > 1


def test_more_splits_than_pictures_are_refused():
    with pytest.raises(UserError, match='10 splits of 4 pictures'):
        inception_score(np.zeros((4, 3)))
