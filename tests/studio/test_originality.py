"""A copy is called one, and a new picture is not."""

import numpy as np
import pytest

from gan_vae import data, images
from gan_vae.studio.originality import sentence


def test_the_sentence_says_what_the_figures_say():
    assert sentence(50, 99) == (
        'It is as new as a new picture: 50 of 99 new pictures are as near to a '
        'training picture.'
    )
    assert sentence(1, 99).startswith('It is close to a training picture: only 1 of 99')
    assert sentence(0, 99).startswith('It may be a copy: none of 99')
    assert sentence(0, 9).startswith('It is as new')  # too few to say


@pytest.mark.slow
def test_a_training_picture_is_a_copy_and_a_sample_is_not(studio):
    models = studio.ask('GET', '/api/models').json()
    model = next(m['id'] for m in models if m['name'] == 'emoji_vae')
    asked = {'tool': 'sample', 'model': model, 'flags': {'num': 1}}
    number = studio.ask('POST', '/api/jobs', json=asked).json()['id']
    result = studio.wait(number).result['id']
    file = studio.studio.album.path(result) / '00000.png'
    settings = studio.studio.models.open(model).config.data
    training = np.asarray(data.examples(settings, settings.split).images[3])
    images.save_png(studio.folder / 'copy.png', training)
    copy = studio.studio.album.give((studio.folder / 'copy.png').read_bytes())
    said = []
    for picture in (studio.studio.album.id_of(file), copy):
        asked = {'tool': 'originality', 'model': model}
        asked |= {'file': picture}
        number = studio.ask('POST', '/api/jobs', json=asked).json()['id']
        job = studio.wait(number)
        assert job.state == 'done', job.error
        said.append(job.result['says'])
    assert said[0].startswith('It is as new') and said[1].startswith('It may be a copy')
    made = {f.name.partition('-')[0] for f in studio.folder.glob('*-*.json')}
    assert made == {'sample', 'index', 'original'}
    assert len([*studio.folder.glob('index-*.json')]) == 1  # made once
