"""Digests for other layers, made by the one encoder for everything that is hashed or signed."""

from sentinel.signing import canonical


def digest(*, domain: str, value: object) -> str:
    """Return the SHA-256 of a value's canonical form within a domain, in hexadecimal.

    Raises:
        NotCanonical: the value holds a float, an integer of 2^53 or more, or text not in NFC.
    """
    return canonical.digest(domain, value).hex()
