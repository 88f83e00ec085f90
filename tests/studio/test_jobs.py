"""One job after the other, which pages watch and stop, and which end with a page."""

import asyncio
import json
import threading
import time

import pytest

from gan_vae.errors import UserError
from gan_vae.studio import studio as studio_lib
from gan_vae.studio.jobs import WAITING, Job, Jobs


def until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def steps(count):
    """Work of so many steps, as a tool does it."""

    def work(job):
        done = 0
        with job.watcher('') as watched:
            for _ in watched.progress(range(count), 'steps'):
                done += 1
                time.sleep(0.002)
                if watched.asked():
                    break
        return done

    return work


def test_jobs_run_in_their_order_one_at_a_time():
    order, changes = [], []
    jobs = Jobs(lambda: changes.append(1))
    for number in range(5):
        jobs.submit(Job('p', 't', lambda _, n=number: order.append(n)))
    until(lambda: all(j.state == 'done' for j in jobs.of('p')))
    assert order == [*range(5)] and len(changes) >= 10
    assert [j.id for j in jobs.of('p')] == ['1', '2', '3', '4', '5']


def test_a_job_ends_within_a_step():
    jobs = Jobs(lambda: None)
    job = jobs.submit(Job('p', 't', steps(100_000)))
    until(lambda: job.at > 3)
    waiting = jobs.submit(Job('p', 't', steps(1)))
    jobs.stop(waiting)
    at = job.at
    jobs.stop(job)
    until(lambda: job.state == 'done')
    assert job.result - at < 100 and waiting.state == 'failed'
    assert waiting.error == 'stopped before it began'


def test_faults_are_lines_and_the_next_job_runs(capsys):
    jobs = Jobs(lambda: None)
    errors = UserError('no such thing'), ValueError('secret'), MemoryError()

    def raising(error):
        def work(_):
            raise error

        return work

    failed = [jobs.submit(Job('p', 't', raising(error))) for error in errors]
    last = jobs.submit(Job('p', 't', lambda _: 'well'))
    until(lambda: last.state == 'done')
    texts = [job.error for job in failed]
    assert texts[0] == 'no such thing' and 'the terminal says' in texts[1]
    assert 'memory' in texts[2] and 'secret' not in texts[1]
    assert 'ValueError: secret' in capsys.readouterr().err


def test_ten_thousand_jobs_are_refused_and_the_server_lives(studio):
    release = threading.Event()
    studio.studio.jobs.submit(Job('p', 't', lambda _: release.wait(30)))
    asked = {'tool': 'edit', 'inputs': [1], 'flags': {'zoom': 2}}
    until(lambda: studio.studio.jobs.of('p')[0].state == 'running')
    answers = [studio.ask('POST', '/api/jobs', json=asked) for _ in range(100)]
    codes = [answer.status_code for answer in answers]
    assert codes == [202] * WAITING + [400] * (100 - WAITING)
    jobs = studio.studio.jobs
    for _ in range(10_000):
        with pytest.raises(UserError, match='are waiting'):
            jobs.submit(Job('p', 't', lambda _: None))
    assert len(jobs.every) == WAITING + 1
    assert studio.ask('GET', '/api/tools').status_code == 200
    release.set()
    until(lambda: all(j.state in ('done', 'failed') for j in jobs.of('p')))


def test_ended_jobs_are_forgotten_at_last():
    jobs = Jobs(lambda: None)
    for _ in range(200):
        job = jobs.submit(Job('p', 't', lambda _: None))
        until(lambda job=job: job.state == 'done')
    until(lambda: len(jobs.every) <= 60)


def test_a_page_that_leaves_takes_its_jobs_along_and_one_that_comes_back_does_not(
    studio, monkeypatch
):
    monkeypatch.setattr(studio_lib, 'LEFT', 0.2)
    it = studio.studio
    it.streams.clear()
    with pytest.raises(UserError, match='not open'):
        it.submit('a', {'tool': 'edit'})

    async def visit():
        stream = it.events('a')
        first = json.loads((await anext(stream)).removeprefix('data: '))
        assert first['jobs'] == []
        stayed = it.jobs.submit(Job('a', 't', steps(100_000)))
        other = it.jobs.submit(Job('b', 't', steps(2)))
        text = await anext(stream)
        assert json.loads(text.removeprefix('data: '))['jobs'][0]['tool'] == 't'
        await stream.aclose()  # a reload
        again = it.events('a')
        await anext(again)
        await asyncio.sleep(0.4)
        assert not stayed.stop.is_set()
        it.hide('a')  # nobody looks at it: it gives its connection back
        await again.aclose()
        await asyncio.sleep(0.4)
        assert not stayed.stop.is_set() and it.is_open('a')
        it.leave('a')  # it is closed
        await asyncio.sleep(0.4)
        assert stayed.stop.is_set() and not other.stop.is_set()
        return stayed

    job = asyncio.run(visit())
    until(lambda: job.state == 'done')
    assert it.streams == {} and it.away == {}


def test_only_its_own_page_stops_a_job(studio):
    job = studio.studio.jobs.submit(Job('p', 't', steps(100_000)))
    other = {'x-studio': 'q'}
    answer = studio.ask('DELETE', f'/api/jobs/{job.id}', headers=other)
    assert answer.status_code == 404 and not job.stop.is_set()
    assert studio.ask('DELETE', f'/api/jobs/{job.id}').status_code == 204
    until(lambda: job.state == 'done')
