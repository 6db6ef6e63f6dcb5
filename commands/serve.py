"""`deskhand worker` and `deskhand bot`: parts of a desk in processes of their own, without pages."""

from collections.abc import Callable
from contextlib import closing

from fastapi import FastAPI

from commands.banner import base_url
from commands.console import console, run, settings_or_exit
from commands.process.composition import Process, open_process
from commands.process.memory import freeze_heap
from commands.process.roles import ProcessRole, require_shared
from commands.process.server import bind, graceful_shutdown, server_config
from storage.settings import Settings
from workbench.http.probes import build_probe_app


def worker() -> None:
    """Answer and load documents; one of several processes."""
    settings = settings_or_exit()
    run(serve_role(settings, ProcessRole.WORKER, settings.worker.port, build_probes))


def bot() -> None:
    """Hold the connections to Slack and Discord; one of several processes."""
    settings = settings_or_exit()
    run(serve_role(settings, ProcessRole.BOT, settings.bot.port, build_probes))


def build_probes(process: Process) -> FastAPI:
    """What a process without pages answers over HTTP."""
    return build_probe_app(process.workbench)


async def serve_role(settings: Settings, role: ProcessRole, port: int, build: Callable[[Process], FastAPI]) -> None:
    """Serve one role until a signal ends it; the other roles of the desk are processes of their own.

    Nothing is migrated: old and new processes may run beside each other while versions are exchanged.
    """
    require_shared(settings, role)
    with graceful_shutdown() as shutdown, closing(bind(settings.web.host, port, f"{role}.port")) as listener:
        async with open_process(settings, role, migrate=False, chats=True) as process:
            ready = f"Deskhand {role} is ready on {base_url(settings.web.host, port)} (Ctrl-C stops)."
            config, on_stop = server_config(build(process), settings.web), process.store.cluster.events.close
            freeze_heap()
            await shutdown.serve(config, listener, announce=lambda: console.print(ready), on_stop=on_stop)
