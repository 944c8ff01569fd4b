"""What every custody of token keys must do, whoever wrote it: call `conforms` with one of yours.

`text` makes the input of a token for the thumbprint of a key, as `mint` would.
"""

import pytest

from sentinel.signing.keys import (
    KeyRefused,
    is_signature_valid,
    require_sound_public_key,
    signing,
    thumbprint,
)


def conforms(custody, entity, text):
    """Check one custody that keeps the keys of one legal entity, and has none yet."""
    (first,) = custody.keys(entity)
    assert custody.keys(entity)[0].signer.kid == first.signer.kid
    assert (first.number, first.signer.kid) == (1, thumbprint(first.signer.public_bytes))
    require_sound_public_key(first.signer.public_bytes)
    signs(first.signer, text)

    second = custody.rotate(entity, 0)
    keys = custody.keys(entity)
    assert [each.signer.kid for each in keys] == [first.signer.kid, second]
    assert [each.number for each in keys] == [1, 2]

    third = custody.rotate(entity, 600)
    keys = custody.keys(entity)
    assert keys[2].signer.kid == third
    assert keys[2].signs_from > keys[1].signs_from
    assert signing(keys).signer.kid in {first.signer.kid, second}
    with pytest.raises(KeyRefused):
        custody.rotate(entity, 600)
    for refused in ("../keys", "Not A Name", ""):
        with pytest.raises(KeyRefused):
            custody.keys(refused)


def signs(signer, text):
    message = text(signer.kid).encode()
    signature = signer.sign(message)
    assert is_signature_valid(
        public_bytes=signer.public_bytes, signature=signature, message=message
    )
    assert signer.sign(message) == signature
