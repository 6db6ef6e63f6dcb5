"""Encryption of secrets at rest: Fernet (AES-128-CBC with HMAC-SHA256), its key derived from a secret."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import SettingsError

KEY_BYTES = 32


class SecretBox:
    """Seals texts so that only who has the secret reads or changes them."""

    def __init__(self, secret: str) -> None:
        # The secret also signs logins: this key is another one, which tells nothing of it.
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"deskhand sealing").derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, text: str) -> str:
        """The sealed form of a text: ASCII, different every time."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again; SettingsError if the key is another one or somebody changed the sealed form."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise SettingsError(
                "the kept Slack tokens cannot be read with this key: set DESKHAND_ENCRYPTION_KEY (or DESKHAND_SECRET) "
                "to what it was when they were kept, or add the app to Slack again"
            ) from error
