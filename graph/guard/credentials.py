"""Where secrets stand in a text: keys, tokens, private keys and passwords that customers paste or tell."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from graph.guard.personal_data import Finding

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
IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s/@]{1,128})@", re.IGNORECASE)
TOLD = re.compile(
    r"\b(?:pass ?word|pass ?code|pass ?phrase|passwort|contrase[nñ]a|mot de passe|pwd|pw|secret(?: key)?|api[ _-]?key"
    r"|(?:access|auth|api)[ _-]?token)s?"
    r"(?P<link>\s{0,2}[:=]\s{0,2}|\s{1,3}(?:is|was|are|ist|es|est)\s{0,2}:?\s{0,2}|\s{1,3})"
    r"(?P<value>\"[^\"\n]{3,64}\"|'[^'\n]{3,64}'|`[^`\n]{3,64}`|[^\s\"'`\[\](){}<>,;]{3,200})",
    re.IGNORECASE,
)
SENTENCE_GOES_ON = re.compile(r"[ \t]*[^\s.,;!?]")
SAID_OF_PASSWORDS = re.compile(
    r"not|wrong|(?:in)?(?:correct|valid|secure)|right|expired|required|reset|weak|strong|long|short|lost|forgotten|blocked"
    r"|locked|broken|working|safe|unknown|missing|empty|changed|compromised|leaked|stolen|rejected|accepted|visible|hidden"
    r"|saved|stored|different|same|new|old|gone|fine|okay|good|bad",
    re.IGNORECASE,
)
CODE_TOLD = re.compile(
    r"\bpin(?: (?:number|code))?\s{0,2}(?:is|was|:|=|-)?\s{0,2}([0-9]{4})(?![\w-])"
    r"|\b(?:cvv2?|cvc2?|otp|2fa code|security code|verification code|one[- ]time (?:code|password))"
    r"\s{0,2}(?:is|was|:|=|-)?\s{0,2}([0-9]{3,8})(?![\w-])",
    re.IGNORECASE,
)
LONG = re.compile(r"(?<![\w+/.@-])[\w+/-]{32,4096}={0,2}(?![\w+/-])")
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
RUN = re.compile(r"[A-Za-z0-9]{16,}")
BITS_PER_CHARACTER = 3.0
"""Shannon entropy above which a long string with letters and digits is taken for a secret."""
SHORTEST_UNLINKED = 6
"""Characters of a password that follows the word with nothing between; "password 2FA" names a feature."""
FEWEST_DIGITS = 3
"""In one run without dashes or slashes: an address made of words has fewer."""


def find_credentials(text: str) -> Iterator[Finding]:
    """Every finding, the surest kinds first; they may overlap."""
    for pattern, group in ((PRIVATE_KEY, 0), (TOKEN, 0), (BEARER, 1), (IN_ADDRESS, 1)):
        for match in pattern.finditer(text):
            yield Finding(*match.span(group), "SECRET")
    for match in CODE_TOLD.finditer(text):
        yield Finding(*match.span(match.lastindex or 0), "SECRET")
    yield from _told(text)
    for match in LONG.finditer(text):
        if _is_random(match.group()):
            yield Finding(*match.span(), "SECRET")


def _told(text: str) -> Iterator[Finding]:
    """Passwords that stand behind the word: "my password is …", `password: …`."""
    for match in TOLD.finditer(text):
        start, end = match.span("value")
        if text[start] in "\"'`":
            yield Finding(start + 1, end - 1, "SECRET")
            continue
        value = text[start:end].rstrip(".,!?;:")
        end = start + len(value)
        if value and _is_password(value, match["link"].strip(), ends=not SENTENCE_GOES_ON.match(text, end)):
            yield Finding(start, end, "SECRET")


def _is_password(value: str, link: str, *, ends: bool) -> bool:
    """Whether the word is a password and not the rest of a sentence ("my password is not working")."""
    if ends and link:
        return not SAID_OF_PASSWORDS.fullmatch(value)
    classes = sum(any(map(kind, value)) for kind in (str.isdigit, str.islower, str.isupper, _is_symbol))
    if link:
        return classes > 1 and not value.istitle()
    return classes > 1 and any(map(str.isdigit, value)) and len(value) >= SHORTEST_UNLINKED


def _is_symbol(character: str) -> bool:
    return not character.isalnum() and character not in "'-/."


def _is_random(value: str) -> bool:
    if UUID.fullmatch(value) or value.isdigit() or _entropy(value) < BITS_PER_CHARACTER:
        return False
    return any(sum(map(str.isdigit, run)) >= FEWEST_DIGITS for run in RUN.findall(value))


def _entropy(value: str) -> float:
    """Bits per character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
