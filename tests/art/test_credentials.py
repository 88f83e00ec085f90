"""Content credentials: signed, unchanged, changed, and by whom."""

import datetime

import numpy as np
import pytest

from gan_vae import images
from gan_vae.art import __main__ as art
from gan_vae.art import credentials, provenance
from gan_vae.errors import UserError

pytest.importorskip('c2pa')
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
ABOUT = {'digital_source_type': 'trainedAlgorithmicMedia', 'tool': 'sample'}


SIGNERS = {'chain': 'Painter', 'forger': 'P\nx.png: Trusted: signed by Bob\x1b[8m'}


@pytest.fixture(scope='module')
def keys(tmp_path_factory):
    """The folder of ca.pem, an authority of our own; NAME.pem of SIGNERS, whom it
    vouches for, as C2PA wants certificates (section 14.5); key.pem; other.pem."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    folder, day = tmp_path_factory.mktemp('keys'), datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            *('content_commitment', 'key_encipherment', 'data_encipherment'),
            *('key_agreement', 'encipher_only', 'decipher_only', 'crl_sign'),
        ),
        False,
    )

    def certificate(name, own, issuer, issuer_key, authority):
        title = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Test'),
            ]
        )
        above = issuer_key.public_key()
        more = [
            (x509.BasicConstraints(authority, None), True),
            (
                x509.KeyUsage(
                    digital_signature=not authority, key_cert_sign=authority, **usage
                ),
                True,
            ),
            (x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False),
        ]
        if not authority:
            purpose = ExtendedKeyUsageOID.EMAIL_PROTECTION
            more.append((x509.ExtendedKeyUsage([purpose]), False))
        builder = (
            x509.CertificateBuilder()
            .subject_name(title)
            .issuer_name(issuer or title)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + 300 * day)
        )
        for extension, critical in more:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = certificate('Authority', ca_key, None, ca_key, True)
    other = certificate('Other', key, None, key, True)
    pem = serialization.Encoding.PEM
    for file, authority in {'ca': ca, 'other': other}.items():
        (folder / f'{file}.pem').write_bytes(authority.public_bytes(pem))
    for file, signer in SIGNERS.items():
        own = certificate(signer, key, ca.subject, ca_key, False)
        chain = own.public_bytes(pem) + ca.public_bytes(pem)
        (folder / f'{file}.pem').write_bytes(chain)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / 'key.pem').write_bytes(key.private_bytes(pem, *form))
    return folder


def save(kind, path):
    if kind == 'png':
        images.save_png(path, FRAMES[0], ABOUT)
    else:
        {'gif': images.save_gif, 'mp4': images.save_mp4}[kind](
            path, list(FRAMES), provenance=ABOUT
        )


@pytest.mark.parametrize('kind', ['png', 'gif', 'mp4'])
def test_a_signed_file_is_valid_trusted_by_who_knows_and_invalid_once_changed(
    kind, keys, tmp_path
):
    plain, signed = tmp_path / f'plain.{kind}', tmp_path / f'signed.{kind}'
    save(kind, plain)
    before = plain.read_bytes()
    credentials.sign(plain, keys / 'chain.pem', keys / 'key.pem', signed)
    assert plain.read_bytes() == before
    assert provenance.embedded(signed) == ABOUT
    found = credentials.verify(signed)
    assert found.state == 'Valid' and found.signer == 'Painter'
    assert found.source == 'trainedAlgorithmicMedia'
    assert 'signingCredential.untrusted' in found.problems
    assert credentials.verify(signed, keys / 'ca.pem').state == 'Trusted'
    raw = bytearray(signed.read_bytes())
    raw[raw.index(b'"tool"') + 9] ^= 1  # in the record of how it was made
    signed.write_bytes(raw)
    assert credentials.verify(signed, keys / 'ca.pem').state == 'Invalid'


def test_commands(keys, tmp_path, capsys):
    plain, signed = tmp_path / 'plain.png', tmp_path / 'signed.png'
    save('png', plain)
    pem = [f'--chain={keys / "chain.pem"}', f'--key={keys / "key.pem"}']
    assert art.main(['sign', str(plain), *pem, f'--out={signed}']) == 0
    trust = f'--trust={keys / "ca.pem"}'
    assert art.main(['verify', str(signed), trust]) == 0
    assert 'Trusted: signed by Painter' in capsys.readouterr().out
    assert art.main(['verify', str(plain)]) == 2  # it has none
    assert art.main(['sign', str(plain), *pem, f'--out={signed}']) == 2  # is there
    unknown = f'--trust={keys / "other.pem"}'
    assert art.main(['verify', str(signed)]) == 0
    assert art.main(['verify', str(signed), unknown]) == 1
    raw = bytearray(signed.read_bytes())
    raw[-20] ^= 1
    signed.write_bytes(raw)
    assert art.main(['verify', str(signed), trust]) == 1
    capsys.readouterr()
    assert art.main(['verify', str(signed), f'--trust={keys / "key.pem"}']) == 2
    assert 'has no certificates' in capsys.readouterr().err


def test_paths_at_home_and_a_signer_who_forges_a_verdict(
    keys, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv('HOME', str(tmp_path))
    save('png', tmp_path / 'plain.png')
    pem = [f'--chain={keys / "forger.pem"}', f'--key={keys / "key.pem"}']
    assert art.main(['sign', '~/plain.png', *pem, '--out=~/out.png']) == 0
    assert (tmp_path / 'out.png').is_file()
    capsys.readouterr()
    assert art.main(['verify', '~/out.png']) == 0
    told = capsys.readouterr().out
    assert told.startswith('~/out.png: Valid: signed by P x.png')
    assert told.count('\n') == 1 and told[:-1].isprintable()


def test_what_cannot_be_signed_is_one_line(keys, tmp_path):
    plain, bare = tmp_path / 'plain.png', tmp_path / 'bare.png'
    save('png', plain)
    images.save_png(bare, FRAMES[0])
    chain, key, out = keys / 'chain.pem', keys / 'key.pem', tmp_path / 'out.png'
    with pytest.raises(UserError, match='ends as it does'):
        credentials.sign(plain, chain, key, tmp_path / 'out.jpg')
    for given, says in {
        (bare, chain, key): 'does not say how it was made',
        (plain, chain, chain): 'no private key',
        (plain, tmp_path / 'no.pem', key): 'cannot read',
        (plain, key, key): 'cannot sign',
    }.items():
        with pytest.raises(UserError, match=says):
            credentials.sign(*given, out)
        assert not out.exists()
