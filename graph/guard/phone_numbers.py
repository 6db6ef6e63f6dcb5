"""Phone number detection: numbers as customers write them, rarely with a country code, told from other numbers."""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address

import phonenumbers

CANDIDATE = re.compile(
    r"(?<![\w@#$€£¥₹/.:=%+*-])(?<![0-9],)"
    r"(?:\+ ?|\()?[0-9](?:[ \u00a0.()/\-\u2010-\u2013]{0,3}[0-9]){6,15}"
    r"(?: ?(?:x|ext\.?|extension) ?[0-9]{1,6})?(?![\w@%€£$]|[.,:/-][0-9])",
    re.IGNORECASE,
)
DATE = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}"
    r"|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:19|20)[0-9]{2})(?![0-9])"
)
NOT_A_PHONE = re.compile(
    r"(?:19|20)[0-9]{2} ?[-/\u2013 ] ?(?:19|20)[0-9]{2}"  # two years
    r"|[0-9]{1,3}(?:[. ][0-9]{3}){2,}"  # an amount
    r"|[0-9]{5}-[0-9]{4}"  # a postal code
)
PHONE_WORD = re.compile(
    r"\b(?:phone|telephone|tel|mobile|mob|cell|cellphone|fax|desk|whats ?app|telegram|landline|handy|telefon|m[oó]vil"
    r"|t[eé]l[eé]phone|call(?:ed|ing)?|ring|sms|text(?:ed)? (?:me|us|to)|dial|reach(?:ed)? (?:me|us)"
    r"|contact (?:me|us|no|nr|number|num)|my (?:no|nr|number|num)|my registered|registered (?:with|no|number))\b",
    re.IGNORECASE,
)
PHONE_WORD_AFTER = re.compile(
    r"\W{0,3}(?:is|this is|that'?s)? ?(?:my|our|the) (?:phone|cell|mobile|contact|whatsapp) ?(?:no|number)?\b",
    re.IGNORECASE,
)
REFERENCE_WORD = re.compile(
    r"\b(?:order|purchase|invoice|ticket|case|tracking|parcel|shipment|reference|ref|serial|sku|item|product|transaction"
    r"|confirmation|booking|reservation|receipt|contract|policy|insurance|account|acct|bank|routing|customer|user|member"
    r"|claim|licen[sc]e|version|model|build|error|code|pnr|imei|isbn|vin|id|uuid|bestellung|rechnung|commande|pedido)s?\b"
    r"|#|№",
    re.IGNORECASE,
)
CONTEXT_LENGTH = 40
"""How many characters before a number may say what it is."""
ADJACENT_LENGTH = 12
"""How many characters may lie between the word and the number, such as ` number is `, to be sure of it."""
MIN_UNANNOUNCED_DIGITS = 9
"""Digits of a number that nothing nearby calls a phone; shorter ones are house numbers, prices and references."""
MAX_DIGITS = 15
"""Digits, by E.164."""

# Tried in this order, by whether people dial a leading zero there.
TRUNK_ZERO: tuple[str, ...] = (
    "GB",
    "DE",
    "FR",
    "NL",
    "BE",
    "CH",
    "AT",
    "SE",
    "FI",
    "IE",
    "AU",
    "NZ",
    "ZA",
    "IN",
    "IT",
    "JP",
    "PK",
    "BR",
)
NO_TRUNK: tuple[str, ...] = ("US", "IN", "ES", "PL", "NO", "DK", "PT", "CZ", "GR", "MX", "BR", "SG", "CN", "IT")
UNGROUPED: tuple[str, ...] = ("US", "IN")
"""Where ten digits in one piece are the usual way to write a number."""


def find_phone_numbers(text: str) -> Iterator[tuple[int, int]]:
    """The spans of phone numbers; dates, addresses of machines, amounts and order numbers are not among them."""
    for match in CANDIDATE.finditer(text):
        before = text[max(0, match.start() - CONTEXT_LENGTH) : match.start()]
        if _is_phone(match.group(), before, text[match.end() : match.end() + CONTEXT_LENGTH]):
            yield match.span()


def is_reference_context(before: str) -> bool:
    """Whether the words before a number call it an order, an account or another reference, and not a phone."""
    return _last_match_end(REFERENCE_WORD, before) > _last_match_end(PHONE_WORD, before)


def _is_phone(candidate: str, before: str, after: str) -> bool:
    number = re.split(r"[xe]", candidate, maxsplit=1, flags=re.IGNORECASE)[0].strip()
    digits = re.sub(r"[^0-9]", "", number)
    if len(digits) > MAX_DIGITS or DATE.search(number) or _is_ip_address(number):
        return False
    if candidate.startswith("+"):
        return True
    grouped = digits != number
    if is_reference_context(before[-ADJACENT_LENGTH:] if grouped else before):
        return False
    if PHONE_WORD.search(before) or PHONE_WORD_AFTER.match(after):
        return True
    if len(digits) < MIN_UNANNOUNCED_DIGITS or NOT_A_PHONE.fullmatch(number):
        return False
    return _is_valid_in_any_region(digits, grouped=grouped)


def _last_match_end(pattern: re.Pattern[str], text: str) -> int:
    """Where the pattern's last match ends; -1 when there is none."""
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def _is_ip_address(number: str) -> bool:
    try:
        IPv4Address(number)
    except AddressValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def _is_valid_in_any_region(digits: str, *, grouped: bool) -> bool:
    """Whether some country has such a number; `digits` are as dialled there, or with `00` and the country code.

    Up to eighteen countries are asked: kept, because a text is read several times and repeats its numbers.
    """
    if digits.startswith("00"):
        return _is_valid("+" + digits[2:], None)
    without_zero = NO_TRUNK if grouped else UNGROUPED
    regions = TRUNK_ZERO if digits.startswith("0") else without_zero
    return any(_is_valid(digits, region) for region in regions)


def _is_valid(digits: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
