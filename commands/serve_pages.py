"""`deskhand up`, `demo` and `web`: the processes that serve pages.

Apart from `serve.py`, because Gradio takes seconds and 80 MB, which only a process with pages should spend.
"""

from contextlib import closing
from typing import Annotated

import typer
from fastapi import FastAPI

from bot.web.routes import web_routes
from commands.banner import load_documents, print_banner
from commands.console import run, settings_or_exit
from commands.process.composition import Process, open_process
from commands.process.memory import freeze_heap
from commands.process.roles import ProcessRole
from commands.process.server import bind, graceful_shutdown, server_config
from commands.serve import serve_role
from storage.operations.demo import Demo, ensure_demo
from storage.settings import Settings
from workbench.site import build_site


def up(*, demo: Annotated[bool, typer.Option(help="Make the demo workspace if there is none at all.")] = True) -> None:
    """Run the whole desk in one process."""
    run(serve_desk(settings_or_exit(), always_demo=False, demo=demo))


def demo() -> None:
    """Run the whole desk with the demo workspace (what `make run` does)."""
    run(serve_desk(settings_or_exit(), always_demo=True))


def web() -> None:
    """Serve workbench, web chat, REST and Slack's HTTP events; one of several processes."""
    settings = settings_or_exit()
    run(serve_role(settings, ProcessRole.WEB, settings.web.port, build_pages))


async def serve_desk(settings: Settings, *, always_demo: bool, demo: bool = True) -> None:
    """Serve until Ctrl-C; what runs then is finished at the next start."""
    with graceful_shutdown() as shutdown, closing(bind(settings.web.host, settings.web.port, "web.port")) as listener:
        async with open_process(settings, chats=True) as process:
            fresh = demo and not await process.store.accounts.workspaces.all()
            made = await ensure_demo(process.store, settings) if always_demo or fresh else Demo()
            # Before the desk says that it is ready: the first question may be about them.
            await load_documents(process.desk, made.document_ids)
            config, on_stop = server_config(build_pages(process), settings.web), process.store.cluster.events.close
            freeze_heap()
            await shutdown.serve(config, listener, announce=lambda: print_banner(settings, made), on_stop=on_stop)


def build_pages(process: Process) -> FastAPI:
    """Everything that people and platforms reach over HTTP."""
    web = web_routes(process.store, process.intake, process.desk, process.settings)
    return build_site(process.workbench, [web, *process.routes])
