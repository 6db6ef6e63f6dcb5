"""The password of everybody in the tests, and how little its hash may cost."""

from collections.abc import Iterator
from functools import partial

import pytest
from argon2 import PasswordHasher

PASSWORD = "a long enough password"


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2 at its cheapest: a fifth of the tests' time went into hashes. `test_command_line` sees the real cost."""
    with pytest.MonkeyPatch.context() as patch:
        cheapest = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr("storage.accounts.passwords.PasswordHasher", cheapest)
        yield
