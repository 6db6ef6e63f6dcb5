"""Small-talk detection: thanks, agreement, good-byes and greetings, which ask nothing."""

import re
from collections.abc import Sequence

LETTER_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
COURTESY_WORD = re.compile(
    r"thank(?:s|z|you|u)?|thx|tnx|ty(?:sm|vm)?|tks|cheers|mate|ta|appreciated?|much|so|very|a|lots?|many|million|again"
    r"|you|your|u|all|guys|team|for|the|it|that|this|help(?:ed|ing|ful)?|info(?:rmation)?|answer(?:ing)?|time|quick"
    r"|reply|response|is|was|really|ok(?:ay|ey)?|kk?|oki|alright|right|great|good|nice|perfect(?:o|ly)?|awesome|cool"
    r"|super|fine|wonderful|excellent|brilliant|amazing|lovely|fantastic|got|gotcha|understood|noted|clear|sure|yes|yep"
    r"|yeah|yup|no|nope|nah|never|mind|nevermind|nvm|by+e+|goodbye|night|goodnight|see|ya|later|have|day|evening"
    r"|weekend|one|too|and|i|will|i'll|do|try|works?|now|solved|fixed|sorted|done|worked|to|be|well|then|oh|ah|wow|lol"
    r"|haha+|yay|please|bot|job|nothing|else|that's|thats|what|needed|from|my|side"
    r"|gracias|muchas|merci|beaucoup|danke|sch[oö]n|vielen|dank|grazie|mille|obrigad[oa]|tak|tack|kiitos",
    re.IGNORECASE,
)
COURTESY_CORE = re.compile(
    r"thank\w*|thx|tnx|ty(?:sm|vm)?|tks|cheers|ta|appreciated?|ok(?:ay|ey)?|kk?|oki|alright|great|good|nice|perfect\w*"
    r"|awesome|cool|super|fine|wonderful|excellent|brilliant|amazing|lovely|fantastic|got|gotcha|understood|noted|clear"
    r"|sure|yes|yep|yeah|yup|no|nope|nah|never|nevermind|nvm|by+e+|goodbye|goodnight|see|later|works?|worked|solved"
    r"|fixed|sorted|done|haha+|lol|wow|yay|nothing|try"
    r"|gracias|merci|danke|dank|grazie|obrigad[oa]|tak|tack|kiitos",
    re.IGNORECASE,
)
"""Small talk has at least one of these words; the others only fill it up."""
GREETING_WORD = re.compile(
    r"hi+|hello+|hey+|heya?|hiya|hy|helo|hallo|howdy|yo|s?sup|wass?up|greetings|good|morning|afternoon|evening|day"
    r"|there|team|all|everyone|everybody|guys|folks|sir|madam|mam|support|again|dear|how|are|you|doing|today|is|it|going"
    r"|what['\u2019]s|up|anyone|anybody|someone|somebody|here|bot"
    r"|hola|bonjour|salut|ciao|buen(?:os|as|a)|d[ií]as|tardes|noches|giorno|guten|tag|morgen|servus|moin|ol[aá]|namaste",
    re.IGNORECASE,
)
GREETING_CORE = re.compile(
    r"hi+|hello+|hey+|heya?|hiya|hy|helo|hallo|howdy|yo|s?sup|wass?up|greetings|good|morning|hola|bonjour|salut|ciao"
    r"|buen(?:os|as|a)|guten|servus|moin|ol[aá]|namaste|anyone|anybody|someone|somebody|you",
    re.IGNORECASE,
)


def is_small_talk(text: str) -> bool:
    """Whether nothing but thanks, agreement, a good-bye or signs such as emoji is said."""
    if "?" in text or any(character.isdigit() for character in text):
        return False
    words = LETTER_WORD.findall(text)
    return not words or _consists_of(words, COURTESY_WORD, COURTESY_CORE)


def is_greeting(text: str) -> bool:
    """Whether nothing but a greeting is said."""
    words = LETTER_WORD.findall(text)
    return bool(words) and _consists_of(words, GREETING_WORD, GREETING_CORE)


def _consists_of(words: Sequence[str], vocabulary: re.Pattern[str], core: re.Pattern[str]) -> bool:
    """Whether every word is of the vocabulary, and at least one of its core."""
    return all(map(vocabulary.fullmatch, words)) and any(map(core.fullmatch, words))
