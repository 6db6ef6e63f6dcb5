"""A fence around text from outside, so that it is read as data and never as instructions."""

from secrets import token_hex


def fence(text: str) -> str:
    """The text between two marks that carry one random code, which the text cannot know and so cannot close."""
    code = token_hex(8)
    while code in text:
        code = token_hex(8)
    return f"<data {code}>\n{text}\n</data {code}>"
