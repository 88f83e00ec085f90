"""Every file in experiments/ is a question that a sweep can put."""

from pathlib import Path

import pytest

from gan_vae.sweep import plan

FILES = sorted(Path('experiments').glob('*.py'))


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_points_are_distinct_trials(file, tmp_path):
    experiment = plan.read(str(file))
    groups = [
        plan.trials(experiment, point, {}, 1, tmp_path) for point in experiment.points
    ]
    assert len(plan.distinct(groups)) == len(experiment.points) > 1
