"""How many wrong passwords there may be."""

import pytest

from storage.accounts.login_limits import LoginLimits
from storage.errors import TooManyAttemptsError


def test_failures_are_counted_per_address_and_per_e_mail() -> None:
    limits = LoginLimits(2)
    limits.admit("1.1.1.1", "a@x.example")
    limits.admit("2.2.2.2", "A@x.example ")
    with pytest.raises(TooManyAttemptsError) as told:
        limits.admit("3.3.3.3", "a@x.example")
    assert 0 < told.value.retry_after <= 300
    limits.admit("1.1.1.1", "b@x.example")
    with pytest.raises(TooManyAttemptsError):
        limits.admit("1.1.1.1", "c@x.example")


def test_successes_do_not_use_up_the_attempts_of_an_office_behind_one_address() -> None:
    limits = LoginLimits(2)
    for number in range(20):
        limits.admit("1.1.1.1", f"{number}@x.example")
        limits.succeeded("1.1.1.1", f"{number}@x.example")
    limits.admit("1.1.1.1", "one@x.example")
    limits.admit("1.1.1.1", "two@x.example")
    with pytest.raises(TooManyAttemptsError):
        limits.admit("1.1.1.1", "three@x.example")


def test_failed_logins_block_the_email_from_every_address() -> None:
    limits = LoginLimits(2)
    for address in ("192.0.2.1", "192.0.2.2"):
        limits.admit(address, "cleo@mail.example")
    with pytest.raises(TooManyAttemptsError):
        limits.admit("192.0.2.3", " CLEO@mail.example")
    limits.admit("192.0.2.3", "dora@mail.example")


def test_every_registration_of_an_address_counts_and_no_login_does() -> None:
    limits = LoginLimits(2)
    limits.admit("192.0.2.1", "cleo@mail.example")
    for _ in range(2):
        limits.admit_registration("192.0.2.1")
    with pytest.raises(TooManyAttemptsError) as told:
        limits.admit_registration("192.0.2.1")
    assert 0 < told.value.retry_after <= 300
    limits.admit_registration("192.0.2.2")
    limits.admit("192.0.2.1", "cleo@mail.example")
