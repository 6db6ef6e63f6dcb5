"""Encryption of secrets at rest, with a key from the environment.

The house has no library for symmetric encryption, so this is the textbook construction from the standard library:
HMAC-SHA256 in counter mode as the key stream (NIST SP 800-108), then HMAC-SHA256 over nonce and ciphertext
(encrypt-then-MAC), with two keys derived from the one secret by HKDF-Expand (RFC 5869).
"""

import base64
import hashlib
import hmac
import secrets

from storage.errors import SettingsError

NONCE_BYTES = 16
TAG_BYTES = 32
VERSION = "v1."


class Seal:
    """Seals texts so that only who has the secret reads or changes them."""

    def __init__(self, secret: str) -> None:
        root = hashlib.sha256(secret.encode()).digest()
        self._stream_key = hmac.digest(root, b"deskhand sealing: stream\x01", "sha256")
        self._tag_key = hmac.digest(root, b"deskhand sealing: tag\x01", "sha256")

    def seal(self, text: str) -> str:
        """The sealed form of a text: ASCII, different every time."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        body = nonce + self._stream(nonce, text.encode())
        tag = hmac.digest(self._tag_key, body, "sha256")
        return VERSION + base64.urlsafe_b64encode(body + tag).decode()

    def open(self, sealed: str) -> str:
        """The text again; SettingsError if the key is another one or somebody changed the sealed form."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(VERSION))
        except ValueError as error:
            raise _unreadable() from error
        body, tag = raw[:-TAG_BYTES], raw[-TAG_BYTES:]
        if not hmac.compare_digest(tag, hmac.digest(self._tag_key, body, "sha256")):
            raise _unreadable()
        nonce = body[:NONCE_BYTES]
        return self._stream(nonce, body[NONCE_BYTES:]).decode()

    def _stream(self, nonce: bytes, data: bytes) -> bytes:
        blocks = range(-(-len(data) // hashlib.sha256().digest_size))
        key = b"".join(hmac.digest(self._stream_key, nonce + n.to_bytes(8, "big"), "sha256") for n in blocks)
        return bytes(a ^ b for a, b in zip(data, key, strict=False))


def _unreadable() -> SettingsError:
    return SettingsError(
        "the kept Slack tokens cannot be read with this key: set DESKHAND_ENCRYPTION_KEY (or DESKHAND_SECRET) to what "
        "it was when they were kept, or add the app to Slack again"
    )
