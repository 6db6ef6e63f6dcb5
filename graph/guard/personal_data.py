"""PII detection by pattern and checksum: e-mail addresses, bank accounts, cards, national ids and phone numbers."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.us import ssn

from graph.guard.phone_numbers import CONTEXT_LENGTH, find_phone_numbers, is_reference_context

# Every quantifier is bounded and every pattern starts at a word's edge, so that the time is linear in the text.
EMAIL = re.compile(
    r"(?<![\w.%+'-])[\w.%+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\.[^\W\d_]{2,24}(?![\w-])"
    r"|(?<![\w.])[\w.+-]{1,64} ?[\[(] ?at ?[\])] ?[\w-]{1,63}(?: ?(?:\.|[\[(] ?dot ?[\])]|dot) ?[\w-]{1,63}){1,4}"
    r"|(?<![\w.])[\w.+-]{1,64} at [\w-]{1,63} dot [a-z]{2,10}(?: dot [a-z]{2,10})?(?!\w)",
    re.IGNORECASE,
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE)
CARD = re.compile(r"(?<![\w+.,-])[0-9](?:[ -]?[0-9]){11,18}(?![\w-])")
# Prefixes and lengths of the large issuers: Visa, Mastercard, Amex, Diners, JCB, Discover, UnionPay, Maestro.
ISSUER = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11,16}"
    r"|(?:2131|1800)[0-9]{11}|35[0-9]{14,17}|(?:50|5[6-9]|6[0-9])[0-9]{10,17}"
)
CARD_WORD = re.compile(r"\b(?:card|visa|mastercard|amex|maestro|debit|credit|karte|carte|tarjeta)\b", re.IGNORECASE)
MIN_CARD_DIGITS_AMONG_REFERENCES = 15
"""An order number that looks like a card is taken for an order number when it is shorter than this."""

NATIONAL_IDS = (
    ("SSN", re.compile(r"(?<![\w-])[0-9]{3}([- ])[0-9]{2}\1[0-9]{4}(?![\w-])"), ssn.is_valid),
    ("NATIONAL_ID", re.compile(r"(?<![\w-])[0-9]{8}[- ]?[A-Za-z](?![\w-])"), dni.is_valid),
    ("NATIONAL_ID", re.compile(r"(?<![\w-])[XYZxyz][- ]?[0-9]{7}[- ]?[A-Za-z](?![\w-])"), nie.is_valid),
    ("NATIONAL_ID", re.compile(r"(?<![\w-])[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![\w-])"), cpf.is_valid),
    ("NATIONAL_ID", re.compile(r"(?<![\w-])(?<![0-9] )[2-9][0-9]{3} [0-9]{4} [0-9]{4}(?! ?[\w-])"), aadhaar.is_valid),
    (
        "NATIONAL_ID",
        re.compile(r"(?<![\w-])[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}(?![\w-])"),
        nir.is_valid,
    ),
    (
        "NATIONAL_ID",
        re.compile(
            r"(?<!\w)[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z](?!\w)", re.IGNORECASE
        ),
        codicefiscale.is_valid,
    ),
)
NAMED_SSN = re.compile(
    r"\b(?:ssn|social security(?: number| no\.?)?)\W{0,3}(?:is|:|=)?\s{0,3}([0-9]{9})(?![\w-])", re.IGNORECASE
)


class SensitiveSpan(NamedTuple):
    """A span of a text that must not be seen: `text[start:end]`."""

    start: int
    end: int
    kind: str
    """What it is, as the placeholder says it: `EMAIL`, `CARD`, …"""


def find_personal_data(text: str) -> Iterator[SensitiveSpan]:
    """Every span, the surest kinds first; they may overlap."""
    for match in EMAIL.finditer(text):
        yield SensitiveSpan(*match.span(), "EMAIL")
    yield from _ibans(text)
    yield from _cards(text)
    yield from _national_ids(text)
    for start, end in find_phone_numbers(text):
        yield SensitiveSpan(start, end, "PHONE")


def _ibans(text: str) -> Iterator[SensitiveSpan]:
    for match in IBAN.finditer(text):
        end = _valid_iban_end(match.group())
        if end:
            yield SensitiveSpan(match.start(), match.start() + end, "IBAN")


def _valid_iban_end(candidate: str) -> int:
    """How much of the candidate is an IBAN; the words behind it may look like more groups of it."""
    ends = [match.end() for match in re.finditer(r"[A-Za-z0-9](?![A-Za-z0-9])", candidate)]
    return next((end for end in reversed(ends) if iban.is_valid(candidate[:end])), 0)


def _cards(text: str) -> Iterator[SensitiveSpan]:
    for match in CARD.finditer(text):
        digits = re.sub(r"[ -]", "", match.group())
        if not ISSUER.fullmatch(digits) or not luhn.is_valid(digits):
            continue
        before = text[max(0, match.start() - CONTEXT_LENGTH) : match.start()]
        sure = len(digits) >= MIN_CARD_DIGITS_AMONG_REFERENCES or CARD_WORD.search(before)
        if sure or not is_reference_context(before):
            yield SensitiveSpan(*match.span(), "CARD")


def _national_ids(text: str) -> Iterator[SensitiveSpan]:
    for match in NAMED_SSN.finditer(text):
        yield SensitiveSpan(*match.span(1), "SSN")
    for kind, pattern, is_valid in NATIONAL_IDS:
        for match in pattern.finditer(text):
            if is_valid(match.group()):
                yield SensitiveSpan(*match.span(), kind)
