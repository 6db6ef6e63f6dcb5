"""What may sign logins."""

import pytest

from storage.database.secrets import check_secret
from storage.errors import SettingsError


@pytest.mark.parametrize(
    "secret", ["a", "a" * 64, "abcdefgh" * 8, "0123456789abcdef0123456789abcde", "aabbccdd" * 4 + "a"]
)
def test_a_secret_that_can_be_guessed_is_refused_in_a_sentence_that_does_not_show_it(secret: str) -> None:
    with pytest.raises(SettingsError, match="DESKHAND_SECRET is too easy to guess") as told:
        check_secret(secret)
    assert len(secret) == 1 or secret not in told.value.detail


def test_a_random_secret_is_taken() -> None:
    check_secret("c0f4e9a1b7d2835f6e4c0a9b1d8f7e2ac0ffee00")
