"""A port is taken before anything slow, and signals end the process in order."""

import asyncio
import signal
import socket

import pytest
from fastapi import FastAPI

from commands.process.server import (
    OPEN_REQUESTS_SECONDS,
    bind,
    graceful_shutdown,
    server_config,
)
from storage.errors import SettingsError
from storage.settings import Settings


def test_a_port_that_is_taken_is_named_with_the_setting_that_chooses_another() -> None:
    with bind("127.0.0.1", 0, "web.port") as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(SettingsError, match=rf"port {port} on 127.0.0.1 .*`web.port` or DESKHAND_WEB__PORT"):
            bind("127.0.0.1", port, "web.port")


def test_a_bound_socket_speaks_tcp_by_name_and_may_be_bound_again_at_once() -> None:
    with bind("127.0.0.1", 0, "web.port") as listener:
        assert (listener.family, listener.proto) == (socket.AF_INET, socket.IPPROTO_TCP)
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


def speaks_ipv6() -> bool:
    """Whether this machine has an IPv6 address of its own; many containers have none."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not speaks_ipv6(), reason="this machine has no IPv6")
def test_an_address_with_colons_is_bound_as_ipv6() -> None:
    with bind("::1", 0, "web.port") as listener:
        assert listener.family == socket.AF_INET6


def test_a_server_believes_no_proxy_that_the_settings_do_not_name() -> None:
    config = server_config(FastAPI(), Settings().web)
    assert not config.proxy_headers
    assert config.timeout_graceful_shutdown == OPEN_REQUESTS_SECONDS


def test_a_server_believes_the_proxies_that_the_settings_name() -> None:
    settings = Settings.model_validate({"web": {"trusted_proxies": ["10.0.0.0/8"], "connections": 7}})
    config = server_config(FastAPI(), settings.web)
    assert config.proxy_headers
    assert config.forwarded_allow_ips == ["10.0.0.0/8"]
    assert config.limit_concurrency == 7


async def test_a_signal_during_the_start_ends_it_quietly() -> None:
    reached = False
    with graceful_shutdown() as shutdown:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()
        reached = True
    assert not reached
    assert shutdown.is_requested


async def test_what_was_cancelled_without_a_signal_stays_cancelled() -> None:
    started = asyncio.Event()

    async def start() -> None:
        with graceful_shutdown():
            started.set()
            await asyncio.Event().wait()

    starting = asyncio.create_task(start())
    await started.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
