import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.guard.masking import MASK_PLACEHOLDER, mask, redact

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nDEF+/=\n-----END RSA PRIVATE KEY-----"


def unmask(text: str, originals: dict[str, str]) -> str:
    return MASK_PLACEHOLDER.sub(lambda match: originals.get(match.group(), match.group()), text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to Ann.Lee+x@mail.example.co.uk, please", "write to [EMAIL_1], please"),
        ("ann at example dot com", "[EMAIL_1]"),
        ("card 4111 1111 1111 1111 exp 12/27", "card [CARD_1] exp 12/27"),
        ("card 4111-1111-1111-1111, cvc 123", "card [CARD_1], cvc [SECRET_1]"),
        ("IBAN DE89 3704 0044 0532 0130 00 is mine", "IBAN [IBAN_1] is mine"),
        ("gb82west12345698765432", "[IBAN_1]"),
        ("call me on 020 7946 0958", "call me on [PHONE_1]"),
        ("(415) 555-2671 or +44 7700 900123", "[PHONE_1] or [PHONE_2]"),
        ("my mobile: 9472 7916", "my mobile: [PHONE_1]"),
        ("Fax 345-899-3560x4587", "Fax [PHONE_1]"),
        ("my ssn is 536-22-8726", "my ssn is [SSN_1]"),
        ("DNI 12345678Z", "DNI [NATIONAL_ID_1]"),
        ("CPF 390.533.447-05", "CPF [NATIONAL_ID_1]"),
        ("my password is hunter2.", "my password is [SECRET_1]."),
        ("password: banana", "password: [SECRET_1]"),
        ("Passwort ist Geheim123!", "Passwort ist [SECRET_1]!"),
        ("use sk-proj-abcdefghij0123456789", "use [SECRET_1]"),
        ("xoxb-123456789012-abcdefGHIJ", "[SECRET_1]"),
        ("AKIAIOSFODNN7EXAMPLE", "[SECRET_1]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl", "[SECRET_1]"),
        (f"my key\n{PEM}\nthanks", "my key\n[SECRET_1]\nthanks"),
        ("postgres://bob:s3cret@db.example/x", "postgres://bob:[SECRET_1]@db.example/x"),
        ("token 9f86d081884c7d659a2feaa0c55ad015", "token [SECRET_1]"),
        ("a@b.org and c@d.org and a@b.org", "[EMAIL_1] and [EMAIL_2] and [EMAIL_1]"),
    ],
)
def test_personal_data_becomes_a_placeholder(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 4155552671 has not arrived",
        "cancel purchase 00123842",
        "my policy number is 614258270",
        "order #415-555-2671",
        "version 10.20.30.40 on 192.168.100.200",
        "from 2024-05-06 12:30:15 to 12/05/2024",
        "it costs $1,200,300 or 1 200 300 400",
        "between 1990 - 2020",
        "the phone call on 2024-05-06 was cut off",
        "my desk printer is at 192.168.100.200",
        "12224-0341",
        "my password is not working",
        "the password is incorrect",
        "how do I reset my system password?",
        "the api key settings page",
        "550e8400-e29b-41d4-a716-446655440000",
        "pin code 500065",
        "card 4111 1111 1111 1112",
        "how-to-reset-your-password-when-you-are-locked-out-of-it",
    ],
)
def test_ordinary_numbers_and_words_stay(text: str) -> None:
    assert mask(text).text == text


def test_unmasking_gives_the_original_back() -> None:
    text = "I am a@b.org, tel 020 7946 0958; [EMAIL_7] is not mine"
    masked = mask(text)
    assert "a@b.org" not in masked.text
    assert unmask(masked.text, masked.originals) == text


def test_a_placeholder_that_the_customer_wrote_is_not_taken_for_ours() -> None:
    masked = mask("[EMAIL_1] is not a@b.org")
    assert masked.text == "[EMAIL_1] is not [EMAIL_2]"
    assert masked.originals == {"[EMAIL_2]": "a@b.org"}


def test_known_values_keep_their_names_through_a_conversation() -> None:
    first = mask("a@b.org")
    second = mask("c@d.org and a@b.org", known=first.originals)
    assert second.text == "[EMAIL_2] and [EMAIL_1]"


def test_a_log_line_holds_no_original() -> None:
    assert redact("mail a@b.org failed") == "mail [EMAIL_1] failed"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(["a@b.org", "4111 1111 1111 1111", "+44 7700 900123", "[EMAIL_1]", "password: x1y2", " "]),
        ),
        max_size=8,
    ).map("".join)
)
def test_masking_is_idempotent_and_reversible(text: str) -> None:
    masked = mask(text)
    assert mask(masked.text).text == masked.text
    assert unmask(masked.text, masked.originals) == text


@pytest.mark.parametrize(
    "unit",
    ["9", "1 ", "415-555-2671 ", "a", "a@", "a.", "eyJ", "-----BEGIN PRIVATE KEY-----", "password is ", "GB82 ", " at ",
     "0 44 20 ", "http://a:", "[EMAIL_1]", "a/", "bearer "],
)  # fmt: skip
def test_the_time_is_linear_in_the_text(unit: str) -> None:
    # Of this thread's own work: what else the machine does is not counted.
    started = time.thread_time()
    mask(unit * (100_000 // len(unit)))
    assert time.thread_time() - started < 10
