"""Contextual query rewriting without a chat model: a follow-up becomes readable without its conversation."""

import re
from collections.abc import Sequence

from graph.guard.masking import redact
from graph.triage.small_talk import LETTER_WORD, is_greeting, is_small_talk
from storage.records import Author, Line

MAX_FRAGMENT_WORDS = 3
"""Up to this many words, a text that ends in a question mark and has no verb of its own is a fragment: "yearly?"."""
ANTECEDENT_WORDS = 5
"""After this many words, "it" and "that" usually point to something in the text itself."""
MAX_CONTEXT_LENGTH = 300
"""Characters of the earlier question that are worth repeating."""
MAX_LOOK_BACK = 3
"""Earlier customer messages that may hold the subject."""

ANAPHORA = re.compile(
    r"\b(?:it(?! (?:possible|ok|okay|safe|true|legal|allowed|normal|usually|takes?|will take|worth)\b)|its|it's|they"
    r"|them|theirs?|they're|he|she|his|him|these|those|such|either|neither|both|latter|former|instead|else|too|as well"
    r"|the same|above|mentioned|you said|i meant?|do you mean|(?:this|that)(?! (?:i|my|you|your|we|our|the|a)\b)"
    r"|(?:(?:which|what|any|the|this|that|each|an) )?(?:ones|other one|others)|(?:which|this|that|the|another) one)\b"
    r"|(?<!is )(?<!are )(?<!was )(?<!if )(?<!hi )(?<!hello )(?<!hey )\bthere\b(?! (?:is|are|was|were|any|a)\b)",
    re.IGNORECASE,
)
CONTINUATION = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|yes|no|thanks|thank you|great|hmm|well|sorry|i see|got it)[\s,.!]+)*"
    r"(?:and|or|but|so|also|then|what about|how about|what if|what else|anything else|for|with|without|to|because|only"
    r"|not|why(?: not)?\W*$|how\W*$|when\W*$|where\W*$|how (?:much|long|many)\W*$|i mean|by the way)\b",
    re.IGNORECASE,
)
QUESTION_WORD = re.compile(
    r"\b(?:how|what|where|when|who|can|could|do|does|is|are|my|i|please|help|need|want)\b", re.IGNORECASE
)


def standalone_question(text: str, history: Sequence[Line]) -> str:
    """The text, with the customer's last question before it when it is a fragment or points back; "" asks nothing.

    `text` is masked already; what is taken from the history is masked here.
    """
    if is_greeting(text) or (is_small_talk(text) and not _answers_a_question(history)):
        return ""
    if not depends_on_history(text):
        return text
    earlier = _antecedent(history)
    return f"{earlier} {text}" if earlier else text


def depends_on_history(text: str) -> bool:
    """Whether the text is a fragment ("for yearly?") or points back ("how much is it?")."""
    if CONTINUATION.match(text):
        return True
    if (
        len(LETTER_WORD.findall(text)) <= MAX_FRAGMENT_WORDS
        and text.rstrip().endswith("?")
        and not QUESTION_WORD.search(text)
    ):
        return True
    pointer = ANAPHORA.search(text)
    return pointer is not None and len(LETTER_WORD.findall(text[: pointer.start()])) < ANTECEDENT_WORDS


def _answers_a_question(history: Sequence[Line]) -> bool:
    """Whether the customer was asked something: then "yes" is an answer and no courtesy."""
    return bool(history) and history[-1].author is not Author.CUSTOMER and history[-1].text.rstrip().endswith("?")


def _antecedent(history: Sequence[Line]) -> str:
    """The customer's latest earlier message that asks something, masked; with its own subject if it has none."""
    asked = [line.text for line in history if line.author is Author.CUSTOMER]
    asked = [text for text in asked if not is_greeting(text) and not is_small_talk(text)]
    subject: list[str] = []
    for text in reversed(asked[-MAX_LOOK_BACK:]):
        subject.insert(0, text[:MAX_CONTEXT_LENGTH])
        if not depends_on_history(text):
            break
    return redact(" ".join(subject))
