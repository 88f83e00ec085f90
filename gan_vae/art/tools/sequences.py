"""Music and drawings that go on from a beginning of somebody's."""

from gan_vae.art import sequences
from gan_vae.art.tools import Asked, Flag, Made, Tool, at_least


def complete(asked: Asked) -> Made:
    flags = asked.flags
    at_least(flags, 0, 'temperature')
    at_least(flags, 1, 'num')
    begun = sequences.given(asked.things[0].word, asked.run)
    begun = sequences.kept(begun, flags.steps)
    method, state = asked.run.method, asked.run.state
    how = flags.seed, flags.num, flags.temperature
    made = sequences.complete(method, state, begun, *how)
    return Made(sequences=made, found={'steps': len(begun)})


TOOLS = {
    'complete': Tool(
        'how a melody (MIDI), a drawing (SVG) or held-out sequence N could go on',
        complete,
        'THING',
        {
            'steps': Flag(None, int, 'of the thing that are kept; else its first half'),
            'num': Flag(8, int, 'how many'),
            'temperature': Flag(
                1.0, float, 'of the draws: below 1 safer, above bolder'
            ),
        },
        kinds=('rolls', 'strokes'),
    )
}
