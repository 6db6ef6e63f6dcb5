"""Secrets are found where they stand, and words about secrets are not."""

import pytest

from graph.guard.credentials import find_credentials


def found(text: str) -> list[str]:
    return sorted({text[span.start : span.end] for span in find_credentials(text)})


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc123def456ghi789", "abc123def456ghi789"),
        ("https://bob:pa55word@db.example/x", "pa55word"),
        ('the password is "open sesame"', "open sesame"),
        ("pwd=Hunter2;", "Hunter2"),
        ("my pin is 4711", "4711"),
        ("verification code: 123456", "123456"),
        ("ghp_abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwx"),
        ("password Hunt3rz", "Hunt3rz"),
    ],
)
def test_a_secret_is_found_without_what_stands_around_it(text: str, secret: str) -> None:
    assert found(text) == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "my password is wrong",
        "the password is not accepted by the site",
        "reset password 2FA",
        "password: required",
        "see 550e8400-e29b-41d4-a716-446655440000",
        "bearer of good news",
        "12345678901234567890123456789012345",
        "how-do-i-get-a-refund-when-the-order-has-been-shipped-already",
        "the access token expires tomorrow",
    ],
)
def test_what_is_said_about_secrets_is_no_secret(text: str) -> None:
    assert found(text) == []
