"""benchmarks/regressions.py tells a slower row from a noisy one."""

import pytest

from benchmarks import regressions


def row(ratios, **more):
    ratio = sorted(ratios)[len(ratios) // 2]
    about = {'case': 'step', 'against': 'torch', 'date': '2026-01-01'}
    return about | {'ratio': ratio, 'ratios': ratios} | more


@pytest.mark.parametrize(
    ('last', 'slower'),
    [
        (row([0.88, 0.9, 0.92]), True),
        (row([1.1, 1.2, 1.3]), False),
        (row([0.3, 0.9, 1.6]), False),  # noise
        (row([0.88, 0.9, 0.92], against='other'), False),
    ],
)
def test_a_ratio_that_falls_by_more_than_its_noise_is_slower(last, slower):
    lines = regressions.compare([row([0.99, 1.0, 1.01]), last])
    assert bool(lines) == slower


@pytest.mark.parametrize(('count', 'slower'), [(101, False), (110, True), (80, False)])
def test_a_program_that_grows_is_slower(count, slower):
    rows = [
        {'case': 'c', 'cache': 'empty', 'date': '', 'instructions': n}
        for n in (100, count)
    ]
    assert bool(regressions.compare(rows)) == slower


def test_only_the_last_two_rows_of_a_case_count():
    rows = [row([2.0, 2.0, 2.0]), row([1.0, 1.0, 1.0]), row([1.0, 1.0, 1.0])]
    assert not regressions.compare(rows)
