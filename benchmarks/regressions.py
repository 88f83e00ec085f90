"""What has become slower since the row before, by more than the noise?

python -m benchmarks.regressions [FILE...]     of benchmarks/results, all by default

Run it after a benchmark. It compares the last two rows of each case: their ratios
against the same peer, which a slow machine changes little, and the number of
instructions of a compiled step. A ratio has the noise of the median of its rounds
(`ratios`), of a tenth where a row does not have them. The exit status is 1 where
something has become slower.
"""

import argparse
import json
import statistics
from pathlib import Path

from benchmarks.rows import RESULTS

SAME = ('case', 'against', 'pass', 'shape', 'unit', 'clock', 'layers', 'cache')
FIGURES = {'ratio': 1, 'instructions': -1}  # 1: more is better
UNKNOWN = 0.1  # noise of a ratio without its rounds
GROWTH = 0.02  # of instructions, which have no noise


def noise(row: dict, figure: str) -> float:
    """The relative standard error of a row's figure."""
    if figure == 'instructions':
        return GROWTH / 2
    ratios = row.get('ratios', ())
    if len(ratios) < 3:
        return UNKNOWN
    low, _, high = statistics.quantiles(ratios, n=4)
    # of normal numbers: the deviation is 0.74 of the range, the median's 1.25 / sqrt(n)
    return 0.93 * (high - low) / len(ratios) ** 0.5 / row['ratio']


def compare(rows: list[dict]) -> list[str]:
    """A line for each figure of the last row of a case that is worse than before."""
    cases: dict[tuple, list[dict]] = {}
    for row in rows:
        cases.setdefault(tuple(str(row.get(k)) for k in SAME), []).append(row)
    lines = []
    for before, last in (case[-2:] for case in cases.values() if len(case) > 1):
        for figure, sign in FIGURES.items():
            if figure not in before or figure not in last:
                continue
            change = sign * (last[figure] / before[figure] - 1)
            limit = 2 * (noise(before, figure) ** 2 + noise(last, figure) ** 2) ** 0.5
            if change < -limit:
                what = ', '.join(str(last[k]) for k in SAME[:4] if k in last)
                lines.append(
                    f'{what}: {figure} {before[figure]} ({before["date"]}) -> '
                    f'{last[figure]} ({last["date"]}), noise {limit:.0%}'
                )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('files', nargs='*', type=Path)
    slower = 0
    for file in parser.parse_args().files or sorted(RESULTS.glob('*.jsonl')):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        for line in compare(
            [row for row in rows if {'against', 'instructions'} & row.keys()]
        ):
            print(f'{file.stem}: {line}')
            slower += 1
    print(f'{slower} became slower')
    return int(slower > 0)


if __name__ == '__main__':
    raise SystemExit(main())
