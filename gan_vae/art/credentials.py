"""Content credentials: a signed record within a picture or film, by c2pa-python.

Whoever changes a bit of a signed file breaks the signature; whoever writes the file
anew loses it. A signature is another one each time, so that it is put on a copy, and
`reproduce` compares the file itself. Nothing here asks the network: there is no time
stamp. A certificate that no list of trust leads to proves that nothing was changed
since, and not who signed.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from gan_vae import files, images, modules
from gan_vae.art import provenance
from gan_vae.errors import UserError, short
from gan_vae.runs import folder as run_folder

PLACE = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
SETTINGS: dict[str, Any] = {
    'builder': {'thumbnail': {'enabled': False}},
    'verify': {'ocsp_fetch': False, 'remote_manifest_fetch': False},
}


class Credentials(NamedTuple):
    """What a signed file says."""

    state: str  # 'Trusted', 'Valid' (unchanged, by whom nobody knows) or 'Invalid'
    signer: str  # the name in the certificate, on one line
    source: str  # the digital source type, one of images.SOURCES
    problems: tuple[str, ...]  # codes of C2PA


def sign(file: str | Path, chain: str | Path, key: str | Path, out: str | Path):
    """Writes the copy `out` of a file of this program, signed.

    chain: PEM of the signer's certificate and those above it; key: PEM of its private
    key (ES256, ES384, Ed25519 or PS256). A UserError for what cannot be signed.
    """
    c2pa = _library()
    file, out = files.expand(file), files.expand(out)
    if file.suffix.lower() != out.suffix.lower():
        raise UserError(f'{out}: a signed copy of {file.name} ends as it does')
    if (source := provenance.embedded(file).get('digital_source_type')) is None:
        raise UserError(
            f'{file} does not say how it was made: there is nothing to sign'
        )
    if out.exists():
        raise UserError(f'{out} is there already: give another --out')
    action = {'action': 'c2pa.created', 'digitalSourceType': PLACE + source}
    version = run_folder.versions()['gan_vae']
    manifest = {
        'claim_generator_info': [{'name': 'gan_vae', 'version': version}],
        'title': file.name,
        'assertions': [{'label': 'c2pa.actions.v2', 'data': {'actions': [action]}}],
    }
    private = _read(key)
    pem = _read(chain).encode(), private.encode()
    who = c2pa.C2paSignerInfo(_algorithm(key, private), *pem, None)
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(SETTINGS))
        with (
            c2pa.Signer.from_info(who) as signer,
            c2pa.Builder(manifest, context=context) as builder,
        ):
            builder.sign_file(file, out, signer)
    except c2pa.C2paError as error:
        out.unlink(missing_ok=True)
        raise UserError(f'cannot sign {file}: {short(error)}') from error


def verify(file: str | Path, trust: str | Path = '') -> Credentials:
    """Checks a signed file; trust: PEM of the certificates to believe in.

    A UserError for a file without credentials, and for a PEM without certificates.
    """
    c2pa = _library()
    file = files.expand(file)
    settings = SETTINGS
    if trust:
        verified = SETTINGS['verify'] | {'verify_trust': True}
        settings = SETTINGS | {
            'trust': {'trust_anchors': _certificates(trust)},
            'verify': verified,
        }
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
        with c2pa.Reader(file, context=context) as reader:
            store = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise UserError(f'{file} has no content credentials: {short(error)}') from error
    active = store['manifests'][store['active_manifest']]
    actions = [
        action
        for assertion in active.get('assertions', ())
        if assertion['label'].startswith('c2pa.actions')
        for action in assertion['data']['actions']
    ]
    sources = [a['digitalSourceType'] for a in actions if 'digitalSourceType' in a]
    name = sources[0].removeprefix(PLACE) if sources else ''
    about = active.get('signature_info', {})
    return Credentials(
        store['validation_state'],
        short(about.get('common_name') or about.get('issuer', ''), 100),
        name if name in images.SOURCES else '',
        tuple(status['code'] for status in store.get('validation_status', ())),
    )


def _library() -> Any:
    what = 'content credentials'
    return modules.optional('c2pa', what, 'c2pa-python', 'credentials')


def _read(file: str | Path) -> str:
    try:
        return files.expand(file).read_text('utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'cannot read {file} as PEM: {error}') from error


def _certificates(file: str | Path) -> str:
    from cryptography import x509

    text = _read(file)
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise UserError(f'{file} has no certificates in PEM') from error
    return text


def _algorithm(file: str | Path, key: str) -> str:
    """The name of the signature that a private key makes."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError) as error:  # TypeError: it has a password
        raise UserError(
            f'{file} is no private key in PEM without a password'
        ) from error
    if isinstance(private, ec.EllipticCurvePrivateKey):
        curves = {'secp256r1': 'es256', 'secp384r1': 'es384'}
        if private.curve.name in curves:
            return curves[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return 'ed25519'
    if isinstance(private, rsa.RSAPrivateKey):
        return 'ps256'
    raise UserError(f'{file}: C2PA takes no such key; ES256 is the usual one')
