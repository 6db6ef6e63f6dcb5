"""Secrets at rest: what signs logins and encrypts platform tokens, given in the environment or kept beside the rows."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from storage.errors import SettingsError
from storage.settings import Settings

MIN_SECRET_LENGTH = 32
MIN_DIFFERENT_CHARACTERS = 8


def signing_secret(settings: Settings) -> str:
    """What signs logins: DESKHAND_SECRET, or a random secret kept in the data folder, readable by its owner only.

    Raises SettingsError for a secret that somebody could guess.
    """
    if given := settings.web.secret.get_secret_value():
        check_secret(given)
        return given
    path = settings.data_dir / "secret"
    if not path.exists():
        _write_secret(path)
    return path.read_text(encoding="utf-8")


def encryption_key(settings: Settings) -> str:
    """What encrypts tokens at rest: DESKHAND_ENCRYPTION_KEY, or what signs logins."""
    return settings.web.encryption_key.get_secret_value() or signing_secret(settings)


def check_secret(secret: str) -> None:
    """Raise SettingsError for what cannot be random: too short, or a short pattern again and again."""
    repeats = (secret + secret).find(secret, 1) < len(secret)
    if len(secret) < MIN_SECRET_LENGTH or repeats or len(set(secret)) < MIN_DIFFERENT_CHARACTERS:
        raise SettingsError(
            f"DESKHAND_SECRET is too easy to guess: set at least {MIN_SECRET_LENGTH} random characters, for example "
            "what `openssl rand -hex 32` prints"
        )


def _write_secret(path: Path) -> None:
    """Written whole under another name first: of two processes that start together both read the same secret."""
    draft = path.with_name(f"secret-{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(48))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
