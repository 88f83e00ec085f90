"""The visible factors of the styles whose parts have names, and what is held out.

A factor is listed where changing it alone changes at least .5 % of the pixels at 32
pixels by more than 24 of 255; the mean shares are beside them.
"""

# The values are those of the style's own file, in its order. Colours end in 'Color'.
FACTORS = {
    'critters': (
        *('body', 'bodyColor', 'backgroundColor', 'top'),
        *('eyes', 'mouth', 'pattern', 'accentColor'),
    ),
    'landscape': (
        *('orb', 'orbColor', 'backgroundColor'),
        *('hill1', 'hill2', 'hill3', 'hill4'),
        *('hill1Color', 'hill2Color', 'hill3Color', 'hill4Color'),
    ),
    'moods': ('face', 'faceColor', 'backgroundColor', 'eyes', 'mouth', 'cheeks'),
    'planets': ('planetColor', 'backgroundColor', 'surface', 'ring', 'moons'),
    'sprouts': (
        *('plant', 'pot', 'potColor', 'backgroundColor'),
        *('plantColor', 'bloomColor', 'eyes', 'mouth'),
    ),
}
# One in STEP pairs of values of these is in the split test_comp and in no other.
HELD_OUT = {
    'critters': ('body', 'bodyColor'),
    'landscape': ('hill1Color', 'hill2Color'),
    'moods': ('face', 'faceColor'),
    'planets': ('planetColor', 'surface'),
    'sprouts': ('plant', 'potColor'),
}
STEP = 6
