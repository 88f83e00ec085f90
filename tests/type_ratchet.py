"""python tests/type_ratchet.py [--update]: pyright's errors by file may only fall.

tests/type_errors.json has the number of errors that each file may have; a file that it
does not have may have none. The rooms config, data, objectives and runs have none, by
pyright's strict rules but those about types that libraries leave unknown, and about
deprecated names (pyproject.toml). `--update` lowers the numbers to those of now.
Numbers are raised by hand alone; without the table, `--update` writes it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_name('type_errors.json')


def errors() -> dict[str, list[str]]:
    """{file: its errors, as 'line 3: message (rule)'} by pyright."""
    command = ['pyright', '--outputjson', '--pythonpath', sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    try:
        diagnostics = json.loads(done.stdout)['generalDiagnostics']
    except ValueError:
        sys.exit(f'pyright failed: {done.stderr or done.stdout}')
    table: dict[str, list[str]] = {}
    for each in diagnostics:
        if each['severity'] == 'error':
            file = Path(each['file']).relative_to(ROOT).as_posix()
            line = each['range']['start']['line'] + 1
            message = ' '.join(each['message'].split())
            rule = each.get('rule', 'syntax')
            table.setdefault(file, []).append(f'line {line}: {message} ({rule})')
    return table


def worse(now: Mapping[str, list[str]], allowed: Mapping[str, int]) -> list[str]:
    """The lines that describe each file with more errors than it is allowed."""
    lines = []
    for file, messages in sorted(now.items()):
        if len(messages) > allowed.get(file, 0):
            lines.append(f'{file}: {allowed.get(file, 0)} -> {len(messages)} errors')
            lines += [f'    {message}' for message in messages]
    return lines


def main(argv: list[str]) -> int:
    if argv not in ([], ['--update']):
        sys.exit(__doc__)
    now = errors()
    counts = {file: len(messages) for file, messages in sorted(now.items())}
    allowed = json.loads(TABLE.read_text()) if TABLE.exists() or not argv else counts
    if lines := worse(now, allowed):
        print(*lines, 'The files above have more type errors than before.', sep='\n')
        return 1
    total, before = sum(counts.values()), sum(allowed.values())
    print(f'{total} type errors in {len(counts)} files, of {before} allowed')
    if argv:
        TABLE.write_text(json.dumps(counts, indent=1) + '\n')
    elif total < before:
        print('python tests/type_ratchet.py --update lowers the table')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
