"""Secret detection by pattern and entropy: keys, tokens, private keys and passwords that customers paste or tell."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from graph.guard.personal_data import SensitiveSpan

PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)
TOKEN = re.compile(
    r"(?<![\w-])(?:"
    r"eyJ[\w-]{8,2000}\.[\w-]{8,4000}(?:\.[\w-]{0,2000})?"
    r"|sk-[\w-]{16,300}|(?:sk|pk|rk)_(?:live|test)_\w{10,200}|whsec_\w{16,200}"
    r"|gh[opsur]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,100}"
    r"|xox[abeoprs]-[\w-]{10,300}|xapp-[\w-]{10,300}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}|AIza[\w-]{30,45}|ya29\.[\w-]{20,500}"
    r"|SG\.[\w-]{16,64}\.[\w-]{16,64}|(?:npm|hf|dop_v1|shpat|shpss|pat|lin_api|rpa)_[A-Za-z0-9]{24,100}|pypi-[\w-]{50,300}"
    r"|[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}"
    r")(?![\w-])"
)
BEARER = re.compile(r"\bbearer (?=[\w.~+/-]{0,40}[0-9])([\w.~+/-]{16,2000}={0,2})", re.IGNORECASE)
PASSWORD_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s/@]{1,128})@", re.IGNORECASE)
STATED_PASSWORD = re.compile(
    r"\b(?:pass ?word|pass ?code|pass ?phrase|passwort|contrase[nñ]a|mot de passe|pwd|pw|secret(?: key)?|api[ _-]?key"
    r"|(?:access|auth|api)[ _-]?token)s?"
    r"(?P<separator>\s{0,2}[:=]\s{0,2}|\s{1,3}(?:is|was|are|ist|es|est)\s{0,2}:?\s{0,2}|\s{1,3})"
    r"(?P<value>\"[^\"\n]{3,64}\"|'[^'\n]{3,64}'|`[^`\n]{3,64}`|[^\s\"'`\[\](){}<>,;]{3,200})",
    re.IGNORECASE,
)
SENTENCE_CONTINUES = re.compile(r"(?<![ \t])[ \t]*[^\s.,;!?]")
PASSWORD_ADJECTIVE = re.compile(
    r"not|wrong|(?:in)?(?:correct|valid|secure)|right|expired|required|reset|weak|strong|long|short|lost|forgotten|blocked"
    r"|locked|broken|working|safe|unknown|missing|empty|changed|compromised|leaked|stolen|rejected|accepted|visible|hidden"
    r"|saved|stored|different|same|new|old|gone|fine|okay|good|bad",
    re.IGNORECASE,
)
STATED_CODE = re.compile(
    r"\bpin(?: (?:number|code))?\s{0,2}(?:is|was|:|=|-)?\s{0,2}([0-9]{4})(?![\w-])"
    r"|\b(?:cvv2?|cvc2?|otp|2fa code|security code|verification code|one[- ]time (?:code|password))"
    r"\s{0,2}(?:is|was|:|=|-)?\s{0,2}([0-9]{3,8})(?![\w-])",
    re.IGNORECASE,
)
LONG_STRING = re.compile(r"(?<![\w+/.@-])[\w+/-]{32,4096}={0,2}(?![\w+/-])")
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
UNBROKEN_RUN = re.compile(r"[A-Za-z0-9]{16,}")
MIN_ENTROPY = 3.0
"""Shannon entropy, in bits per character, above which a long string with letters and digits is taken for a secret."""
MIN_UNLINKED_LENGTH = 6
"""Characters of a password that follows the word with nothing between; "password 2FA" names a feature."""
MIN_DIGITS = 3
"""In one run without dashes or slashes: an address made of words has fewer."""


def find_credentials(text: str) -> Iterator[SensitiveSpan]:
    """Every span, the surest kinds first; they may overlap."""
    for pattern, group in ((PRIVATE_KEY, 0), (TOKEN, 0), (BEARER, 1), (PASSWORD_IN_URL, 1)):
        for match in pattern.finditer(text):
            yield SensitiveSpan(*match.span(group), "SECRET")
    for match in STATED_CODE.finditer(text):
        yield SensitiveSpan(*match.span(match.lastindex or 0), "SECRET")
    yield from _stated_passwords(text)
    for match in LONG_STRING.finditer(text):
        if _is_random(match.group()):
            yield SensitiveSpan(*match.span(), "SECRET")


def _stated_passwords(text: str) -> Iterator[SensitiveSpan]:
    """Passwords that stand behind the word: "my password is …", `password: …`."""
    for match in STATED_PASSWORD.finditer(text):
        start, end = match.span("value")
        if text[start] in "\"'`":
            yield SensitiveSpan(start + 1, end - 1, "SECRET")
            continue
        value = text[start:end].rstrip(".,!?;:")
        end = start + len(value)
        if value and _is_password(
            value, match["separator"].strip(), ends_sentence=not SENTENCE_CONTINUES.match(text, end)
        ):
            yield SensitiveSpan(start, end, "SECRET")


def _is_password(value: str, separator: str, *, ends_sentence: bool) -> bool:
    """Whether the word is a password and not the rest of a sentence ("my password is not working")."""
    if ends_sentence and separator:
        return not PASSWORD_ADJECTIVE.fullmatch(value)
    classes = sum(any(map(kind, value)) for kind in (str.isdigit, str.islower, str.isupper, _is_symbol))
    if separator:
        return classes > 1 and not value.istitle()
    return classes > 1 and any(map(str.isdigit, value)) and len(value) >= MIN_UNLINKED_LENGTH


def _is_symbol(character: str) -> bool:
    return not character.isalnum() and character not in "'-/."


def _is_random(value: str) -> bool:
    if UUID.fullmatch(value) or value.isdigit() or _entropy(value) < MIN_ENTROPY:
        return False
    return any(sum(map(str.isdigit, run)) >= MIN_DIGITS for run in UNBROKEN_RUN.findall(value))


def _entropy(value: str) -> float:
    """Bits per character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
