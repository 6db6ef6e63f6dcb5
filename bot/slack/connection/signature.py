"""Request signing (HMAC-SHA256): whether Slack sent a body, found out over its bytes before anything reads them.

Bolt parses a body first and checks it then, so that a stranger's malformed one would be an error of ours.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping

TIMESTAMP = re.compile(r"[0-9]{1,12}")
MAX_AGE_SECONDS = 300
"""As Slack's documentation says: older ones may be a copy."""


def is_signed(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the signature fits body and time, and is fresh."""
    timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if not TIMESTAMP.fullmatch(timestamp) or abs(time.time() - int(timestamp)) > MAX_AGE_SECONDS:
        return False
    signed = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return hmac.compare_digest(f"v0={signed.hexdigest()}".encode(), signature.encode())
