"""The features of a folder or a set as emoji:train, to search in."""

from gan_vae.art import feature_index, features, sheets
from gan_vae.art.feature_index import LARGEST
from gan_vae.art.tools import Flag, Request, Result, ToolWithOptionalModel
from gan_vae.errors import UserError, counted

NETWORKS = 'of which network: pixels, random, classifier, … or a VAE: encoder'
NUMBERED = 400  # pictures of an index on its sheet


def make(request: Request) -> Result:
    flags, item, model = request.flags, request.inputs[0], request.model
    if model and flags.features != 'encoder':
        raise UserError(f'--workdir is of --features=encoder, not {flags.features}')
    place = features.place_of(item.word)
    network = features.extractor(flags.features, model, place)
    how = features.fitted(network, model, place, flags.size)
    name = item.name if item.sha256 else place
    index, left_out = feature_index.build(
        place, network, how, request.progress, name, flags.seed
    )
    count, size = index.features.shape
    messages = [f'{counted(count, "picture")}, {size} numbers each, of {network.name}']
    messages += features.message_of(left_out)
    on_sheet = [*index.small[:NUMBERED]]
    if count > NUMBERED:
        messages.append(f'on the sheet are the first {NUMBERED} of {count}')
    listed = zip(index.names.tolist(), index.hashes.tolist(), strict=True)
    return Result(
        files={'index.npz': feature_index.saved(index)},
        sheet=sheets.numbered(on_sheet, min(20, len(on_sheet))),
        messages=messages,
        metrics=index.about | {'pictures': [*map(list, listed)], 'left_out': left_out},
    )


TOOL = ToolWithOptionalModel(
    make=make,
    takes='FOLDER',
    flags={
        'features': Flag('efficientnet_lite0', str, NETWORKS),
        'size': Flag(0, int, 'pixels a side of pictures', least=0, most=LARGEST),
    },
)
