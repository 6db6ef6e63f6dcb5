"""Character decoding: bytes to text, or a clear word on why not."""

import codecs
import unicodedata

from storage.errors import InvalidError

NOT_TEXT = "This is not a text file. Save it as UTF-8 text and load it again."
WESTERN_SYMBOLS = "\N{EURO SIGN}\N{POUND SIGN}\N{DEGREE SIGN}\N{SECTION SIGN}\N{COPYRIGHT SIGN}\N{REGISTERED SIGN}"


def decode(content: bytes) -> str:
    """UTF-8 or UTF-16 with its mark, UTF-8 without, or the Windows encoding of western Europe; newlines made one kind.

    Raises InvalidError for everything else: text read in the wrong encoding would be answered to customers.
    """
    text = _decode(content)
    if "\0" in text:
        raise InvalidError(NOT_TEXT)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(content: bytes) -> str:
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_western(content)


def _decode_western(content: bytes) -> str:
    """Excel on a western Windows writes cp1252, in which nearly any bytes mean something: look whether it is sense."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise InvalidError(NOT_TEXT) from error
    special = [character for character in text if character > "\x7f"]
    likely = sum(map(_is_western, special))
    if likely < 0.95 * len(special) or len(special) > 0.3 * len(text):
        raise InvalidError("The file's encoding is not known. Save it as UTF-8 and load it again.")
    return text


def _is_western(character: str) -> bool:
    """A lower-case letter with an accent, a quotation mark, a dash or a common sign; capitals are rare."""
    category = unicodedata.category(character)
    return (
        category in {"Ll", "Pd", "Pi", "Pf", "Ps", "Zs"}
        or character in WESTERN_SYMBOLS + "\N{HORIZONTAL ELLIPSIS}ÄÖÜÉÀÇÑ"
    )
