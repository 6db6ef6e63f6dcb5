"""Password hashing by argon2, in threads: a hash takes some 50 ms of a processor."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from storage.errors import InvalidError

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200


class Passwords:
    """Hashes and verifies."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._of_nobody = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        """What is kept of a new password; InvalidError if it is too short or too long."""
        if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise InvalidError(f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters.")
        return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether this is the password; without a hash the answer is no, and takes as long as for a wrong password."""
        verifying = asyncio.to_thread(self._hasher.verify, password_hash or self._of_nobody, password)
        try:
            return await verifying and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False
