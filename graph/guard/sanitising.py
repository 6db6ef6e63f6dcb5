"""Unicode sanitising: control characters, direction overrides and invisible marks go, what people read stays."""

import re
import unicodedata

# Bidirectional overrides and isolates, and invisible marks other than the joiners that emoji and scripts need.
INVISIBLE_MARKS = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e001f]"
)
KEPT_CONTROLS = "\n\t"
CONTROL_CATEGORIES = frozenset({"Cc", "Cs"})


def sanitise(text: str) -> str:
    """The text without control characters and direction overrides; line breaks, tabs and emoji stay."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    visible = INVISIBLE_MARKS.sub("", unified)
    return "".join(
        c for c in visible if c in KEPT_CONTROLS or unicodedata.category(c) not in CONTROL_CATEGORIES
    ).strip()


def has_visible_text(text: str) -> bool:
    """Whether there is anything to read."""
    return any(character.isprintable() and not character.isspace() for character in text)
