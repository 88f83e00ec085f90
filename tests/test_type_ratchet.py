"""The count of type errors that CI allows."""

from tests.type_ratchet import worse


def test_the_file_that_got_worse_is_named_with_its_errors():
    now = {'a.py': ['line 1: x'], 'b.py': ['line 2: y', 'line 3: z'], 'c.py': ['w']}
    assert worse(now, {'a.py': 1, 'b.py': 2, 'c.py': 5}) == []
    assert worse(now, {'a.py': 1, 'b.py': 1}) == [
        'b.py: 1 -> 2 errors',
        '    line 2: y',
        '    line 3: z',
        'c.py: 0 -> 1 errors',
        '    w',
    ]
