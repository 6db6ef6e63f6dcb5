"""How many wrong passwords there may be, counted in rows."""

import asyncio
from datetime import timedelta

import pytest

from storage import clock
from storage.accounts.devices import Devices
from storage.accounts.login_limits import LoginLimits, network_of
from storage.database.engine import Database
from storage.errors import TooManyAttemptsError

CLEO = "cleo@mail.example"
SECRET = "a secret of the tests that is long enough"


def limits_of(database: Database, attempts: int = 2, kind: str = "member") -> LoginLimits:
    return LoginLimits(database, Devices(SECRET, kind), attempts, kind)


async def is_refused(limits: LoginLimits, address: str, email: str, device: str = "") -> bool:
    try:
        await limits.admit(address, email, device)
    except TooManyAttemptsError:
        return True
    return False


async def test_failures_are_counted_per_address_and_for_an_e_mail_over_many_of_them(database: Database) -> None:
    limits = limits_of(database)
    used = [await is_refused(limits, f"192.0.2.{number // 2}", f" {CLEO.upper()}") for number in range(10)]
    assert used == [False] * 10
    assert await is_refused(limits, "192.0.2.99", CLEO)
    assert await is_refused(limits, "192.0.2.1", "dora@mail.example")
    assert not await is_refused(limits, "192.0.2.50", "dora@mail.example")


async def test_successes_do_not_use_up_the_attempts_of_an_office_behind_one_address(database: Database) -> None:
    limits = limits_of(database)
    for number in range(20):
        await limits.admit("192.0.2.1", f"{number}@x.example")
        await limits.succeeded("192.0.2.1", f"{number}@x.example")
    assert [await is_refused(limits, "192.0.2.1", f"{n}@x.example") for n in range(3)] == [False, False, True]


async def test_nobody_locks_the_rightful_owner_out_of_a_known_device(database: Database) -> None:
    limits = limits_of(database)
    await limits.admit("192.0.2.1", CLEO)
    device = await limits.succeeded("192.0.2.1", CLEO)
    for number in range(60):
        await is_refused(limits, f"198.51.100.{number % 30}", CLEO)
        await is_refused(limits, "192.0.2.1", CLEO)
    assert not await is_refused(limits, "192.0.2.1", CLEO, device)
    assert await limits.succeeded("192.0.2.1", CLEO, device) == device


async def test_a_known_device_has_no_more_attempts_than_others_and_knows_one_login_only(database: Database) -> None:
    limits = limits_of(database)
    device = await limits.succeeded("192.0.2.1", CLEO)
    assert [await is_refused(limits, "192.0.2.1", CLEO, device) for _ in range(3)] == [False, False, True]
    assert [await is_refused(limits, "192.0.2.1", "dora@x.example", device) for _ in range(3)] == [False, False, True]
    assert Devices(SECRET, "customer").recognise(device, CLEO) is None
    assert Devices("another " + SECRET, "member").recognise(device, CLEO) is None


async def test_two_processes_count_together_also_side_by_side(database: Database) -> None:
    processes = [limits_of(database, 10), limits_of(database, 10)]
    tried = await asyncio.gather(*(is_refused(processes[n % 2], "192.0.2.1", CLEO) for n in range(60)))
    assert tried.count(False) == 10
    assert not await is_refused(limits_of(database, 10, "customer"), "192.0.2.1", CLEO)


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(minutes=-11), timedelta(days=1)])
async def test_no_step_of_the_clock_keeps_anybody_out(database: Database, step: timedelta) -> None:
    limits = limits_of(database)
    assert [await is_refused(limits, "192.0.2.1", CLEO) for _ in range(3)] == [False, False, True]
    with clock.shifted(step):
        assert not await is_refused(limits, "192.0.2.1", CLEO)


async def test_an_attempt_lasts_a_window_and_no_longer(database: Database) -> None:
    limits = limits_of(database)
    assert [await is_refused(limits, "192.0.2.1", CLEO) for _ in range(3)] == [False, False, True]
    with clock.shifted(timedelta(minutes=4)):
        assert await is_refused(limits, "192.0.2.1", CLEO)
    with clock.shifted(timedelta(minutes=6)):
        assert not await is_refused(limits, "192.0.2.1", CLEO)


async def test_every_registration_of_an_address_counts_and_no_login_does(database: Database) -> None:
    limits = limits_of(database)
    await limits.admit("192.0.2.1", CLEO)
    for _ in range(2):
        await limits.admit_registration("192.0.2.1")
    with pytest.raises(TooManyAttemptsError) as told:
        await limits.admit_registration("192.0.2.1")
    assert 0 < told.value.retry_after <= 300
    await limits.admit_registration("192.0.2.2")
    await limits.admit("192.0.2.1", CLEO)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_address_counts_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
