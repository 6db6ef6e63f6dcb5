"""Known devices: a signed cookie by which a browser shows that this login succeeded in it before."""

from datetime import timedelta
from hashlib import sha256

import jwt

from storage import clock
from storage.records import new_id

ALGORITHM = "HS256"
DEVICE_COOKIE = "deskhand_device"
DEVICE_LASTS = timedelta(days=365)


class Devices:
    """Signs and recognises the cookie; it opens nothing, and counts for one kind of login and one e-mail only."""

    def __init__(self, secret: str, kind: str) -> None:
        self._secret = secret
        self._kind = kind

    def remember(self, email: str) -> str:
        """The cookie of a new device."""
        claims = {"kind": "device", "sub": new_id(), "login": self._login(email), "exp": clock.now() + DEVICE_LASTS}
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def recognise(self, cookie: str, email: str) -> str | None:
        """The device's id, if this login succeeded in it before."""
        try:
            claims = jwt.decode(cookie, self._secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]})
        except jwt.InvalidTokenError:
            return None
        is_known = claims.get("kind") == "device" and claims.get("login") == self._login(email)
        return str(claims["sub"]) if is_known else None

    def _login(self, email: str) -> str:
        return sha256(f"{self._kind} {email.strip().lower()}".encode()).hexdigest()
