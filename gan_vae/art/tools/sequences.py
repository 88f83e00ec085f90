"""Music and drawings that go on from a beginning of somebody's."""

from gan_vae.art import sequences
from gan_vae.art.tools import Asked, Flag, Made, Tool, at_least
from gan_vae.errors import UserError


def complete(asked: Asked) -> Made:
    flags = asked.flags
    at_least(flags, 0, 'temperature')
    at_least(flags, 1, 'num')
    if flags.grid is not None and asked.run.kind != 'rolls':
        raise UserError('--grid is of music')
    at_least(flags, 1, 'grid')
    said: list[str] = []
    word, grid = asked.things[0].word, flags.grid or 1
    begun = sequences.given(word, asked.run, grid, said.append)
    begun = sequences.kept(begun, flags.steps)
    method, state = asked.run.method, asked.run.state
    how = flags.seed, flags.num, flags.temperature
    made = sequences.complete(method, state, begun, *how)
    kept = f'the first {len(begun)} steps are those of {word}'
    return Made(sequences=made, begun=len(begun), said=[*said, kept])


TOOLS = {
    'complete': Tool(
        'how a melody (MIDI), a drawing (SVG) or held-out sequence N could go on',
        complete,
        'THING',
        {
            'steps': Flag(None, int, 'of the thing that are kept; else its first half'),
            'grid': Flag(None, int, 'steps in a quarter note of a MIDI file; else 1'),
            'num': Flag(8, int, 'how many'),
            'temperature': Flag(
                1.0, float, 'of the draws: below 1 safer, above bolder'
            ),
        },
        kinds=('rolls', 'strokes'),
    )
}
