"""The composition root and command line: the only place where everything is built and wired."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from bot.channel import Channel
from bot.delivery import Delivery, Patience
from bot.discord import open_discord
from bot.intake import Intake
from bot.slack import open_slack
from bot.slack_oauth import invitation
from bot.state import ChannelStates
from bot.terminal import Terminal
from bot.web import WebChannel, web_routes
from commands.channels import channel_cli
from commands.checks import doctor, evaluate
from commands.console import console, progress_bar, run, settings_or_exit, with_rows
from commands.members import member_cli
from commands.rows import db_cli
from graph.chat import open_chat_model, opened_model
from graph.checkpoints import WaitingCheckpoints, open_checkpoints
from graph.desk import Desk
from graph.examples import load_examples
from graph.language import identifier
from graph.machine import Machine, build_machine
from graph.nodes.classifier import Classifier
from graph.state import Deps
from graph.usage import ModelMeter
from storage.data_folder import running_desk
from storage.database import open_database
from storage.demo import Demo, ensure_demo
from storage.embedded_jobs import EmbeddedJobs
from storage.embedder import load_embedder
from storage.errors import SettingsError
from storage.jobs import Handler, Handlers, Job, JobKind, LastResort, Later
from storage.knowledge import Knowledge
from storage.memory import give_back_large_blocks
from storage.query_vectors import RememberingEmbedder
from storage.records import ChannelName
from storage.settings import Settings, load_settings
from storage.store import Store, check_data_dir, migrate_database, open_store
from storage.unfinished import unfinished
from storage.vectors import open_vectors
from workbench.office import Office
from workbench.site import build_site

HOUSEKEEPING_SECONDS = 600.0
REMOTE_REQUESTS = 8
"""Requests beside each other to an embeddings endpoint."""
log = structlog.get_logger(__name__)
cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Deskhand: a support desk with an autopilot.")
cli.add_typer(member_cli, name="member")
cli.add_typer(db_cli, name="db")
cli.add_typer(channel_cli, name="channel")
cli.command()(doctor)
cli.command("eval")(evaluate)


@dataclass(frozen=True, slots=True)
class Process:
    """Everything that one process runs."""

    settings: Settings
    store: Store
    desk: Desk
    jobs: EmbeddedJobs
    intake: Intake
    delivery: Delivery
    office: Office
    channels: dict[ChannelName, Channel]
    states: ChannelStates
    routes: list[APIRouter]
    """What the chat platforms call over HTTP."""


@asynccontextmanager
async def open_process(settings: Settings, *, migrate: bool = True, chats: bool = False) -> AsyncIterator[Process]:
    """Build the desk, recover what an earlier process left unfinished, and stop in order at the end.

    `chats`: connect to the chat platforms whose tokens are set.
    """
    give_back_large_blocks()
    check_data_dir(settings.data_dir)
    with running_desk(settings):
        if migrate:
            await migrate_database(settings)
        inner = await asyncio.to_thread(load_embedder, settings)
        embedder = RememberingEmbedder(inner, at_once=1 if settings.embeddings.provider == "local" else REMOTE_REQUESTS)
        async with open_store(settings, embedder) as store, open_checkpoints(settings) as checkpoints:
            registry = CollectorRegistry()
            async with opened_model(settings, ModelMeter(registry)) as model:
                classifier = Classifier(embedder, load_examples())
                deps = Deps(settings, store.knowledge, classifier, model)
                process = assemble(settings, store, checkpoints, deps, {"web": WebChannel(store.signals)}, registry)
                # In the background: a seconds-long first use should not fall to the first customer nor delay the start.
                warming = asyncio.create_task(asyncio.to_thread(warm, classifier))
                async with open_chats(process) if chats else contextlib.nullcontext(), working(process):
                    yield process
                await warming


@asynccontextmanager
async def open_chats(process: Process) -> AsyncIterator[None]:
    """Connect to the chat platforms; one that cannot be reached is off, and the rest of the desk runs."""
    parts = (process.settings, process.store, process.intake, process.desk, process.states)
    async with open_slack(*parts) as slack, open_discord(*parts) as discord:
        if slack is not None:
            process.channels["slack"] = slack.channel
            process.routes.append(slack.routes)
        if discord is not None:
            process.channels["discord"] = discord
        yield


def warm(classifier: Classifier) -> None:
    """Fit the classifier and read the language models now."""
    classifier.warm()
    identifier()


def assemble(
    settings: Settings,
    store: Store,
    checkpoints: WaitingCheckpoints,
    deps: Deps,
    channels: Mapping[ChannelName, Channel],
    registry: CollectorRegistry | None = None,
) -> Process:
    """Wire the layers; nothing runs yet."""
    jobs = EmbeddedJobs(
        concurrency=settings.jobs.concurrency,
        max_attempts=settings.jobs.max_attempts,
        retry_seconds=settings.jobs.retry_seconds,
    )
    desk = Desk(build_machine(checkpoints), checkpoints, deps, store, jobs)
    intake = Intake(store.arrivals, store.corrections, jobs, store.signals, settings.conversation.gather_seconds)
    connected, states = dict(channels), ChannelStates()
    patience = Patience(settings.jobs.max_attempts, settings.jobs.retry_seconds)
    delivery = Delivery(store.outbox, connected, store.signals, patience)
    office = Office(
        settings, store, desk, jobs, intake.accept, registry or CollectorRegistry(), states.all, invitation(settings)
    )
    return Process(settings, store, desk, jobs, intake, delivery, office, connected, states, [])


@asynccontextmanager
async def working(process: Process) -> AsyncIterator[None]:
    """Do the jobs, first of all those that an earlier process left unfinished."""
    await process.store.outbox.release()
    await process.desk.sweep()
    await remake_vectors(process.store)
    for job in await unfinished(process.store.database):
        await process.jobs.enqueue(job)
    process.jobs.start(handlers_of(process.desk, process.delivery, process.store))
    chores = asyncio.create_task(housekeeping(process.store, process.settings))
    try:
        yield
    finally:
        chores.cancel()
        await process.jobs.stop()


async def remake_vectors(store: Store) -> None:
    """After a change of the embedding model, or without the vectors' folder: make them anew from the rows."""
    for workspace in await store.workspaces.all():
        if await store.knowledge.lacks_vectors(workspace.id):
            log.info("making vectors anew", workspace=workspace.id)
            await store.knowledge.reindex(workspace.id)


def handlers_of(desk: Desk, delivery: Delivery, store: Store) -> Handlers:
    """Who does which job, and who is told when every try has failed."""

    async def load(document_id: str) -> None:
        document = await store.catalogue.load_document(document_id)
        store.signals.publish(document.workspace_id)

    async def fail_load(job: Job, reason: str) -> None:
        await store.catalogue.give_up(job.id, reason)

    handlers: dict[JobKind, Handler] = {
        JobKind.ANSWER: by_id(desk.answer),
        JobKind.RESUME: by_id(desk.resume),
        JobKind.SUMMARISE: by_id(desk.summarise),
        JobKind.LOAD: by_id(load),
        JobKind.DELIVER: delivery.deliver,
    }
    last_resorts: dict[JobKind, LastResort] = {
        JobKind.ANSWER: desk.give_up,
        JobKind.RESUME: desk.give_up,
        JobKind.LOAD: fail_load,
        JobKind.DELIVER: delivery.give_up,
    }

    async def give_up(job: Job, reason: str) -> None:
        # A summary that failed stays as it is until the conversation's next turn.
        if job.kind in last_resorts:
            await last_resorts[job.kind](job, reason)

    return Handlers(handlers, give_up)


def by_id(work: Callable[[str], Awaitable[Later | None]]) -> Handler:
    """A handler for work that needs nothing of its job but the id."""

    async def handle(job: Job) -> Later | None:
        return await work(job.id)

    return handle


async def housekeeping(store: Store, settings: Settings) -> None:
    """Now and then: close what has been resolved for long."""
    while True:
        await store.conversations.close_silent(timedelta(days=settings.conversation.close_after_days))
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


@cli.command()
def up(*, demo: Annotated[bool, typer.Option(help="Make the demo workspace if there is none at all.")] = True) -> None:
    """Run the whole desk in one process."""
    run(serve(settings_or_exit(), always_demo=False, demo=demo))


@cli.command()
def demo() -> None:
    """Run the whole desk with the demo workspace (what `make run` does)."""
    run(serve(settings_or_exit(), always_demo=True))


async def serve(settings: Settings, *, always_demo: bool, demo: bool = True) -> None:
    """Serve until Ctrl-C; what runs then is finished at the next start."""
    listener = bind(settings)
    with contextlib.closing(listener):
        async with open_process(settings, chats=True) as process:
            fresh = demo and not await process.store.workspaces.all()
            made = await ensure_demo(process.store, settings) if always_demo or fresh else Demo()
            # Before the desk says that it is ready: the first question may be about them.
            await load_all(process.store, made.document_ids)
            web = web_routes(process.store, process.intake, process.desk, settings)
            site = build_site(process.office, [web, *process.routes])
            config = uvicorn.Config(site, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=2)
            await Announced(config, lambda: greet(settings, made)).serve(sockets=[listener])


async def load_all(store: Store, document_ids: Sequence[str]) -> None:
    """Load documents one after the other, with a bar each."""
    for document_id in document_ids:
        with progress_bar("Loading the demo knowledge") as report:
            await store.catalogue.load_document(document_id, report)


class Announced(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        self._announce()


def bind(settings: Settings) -> socket.socket:
    """The listening socket, taken before anything slow; SettingsError says what to do if the port is taken."""
    host, port = settings.web.host, settings.web.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's delay off: 40 ms per request otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop what uses it, "
            "or choose another with `web.port` or DESKHAND_WEB__PORT"
        ) from error
    return listener


def greet(settings: Settings, made: Demo) -> None:
    """Say where to click, and the demo logins the one time they are known."""
    host = "localhost" if settings.web.host in ("127.0.0.1", "0.0.0.0", "::") else settings.web.host  # noqa: S104 - compared, not bound
    base = f"http://{host}:{settings.web.port}"
    console.print(
        f"\n[bold]Deskhand is ready.[/bold]\n  Workbench  {base}/\n  Web chat   {base}/chat\n  REST       {base}/docs"
    )
    for login in made.logins:
        password = f"password: {login.password}" if login.password else "password as given in the environment"
        console.print(f"  {login.role.capitalize():<9}  {login.email}   {password}", highlight=False)
    if any(login.password for login in made.logins):
        console.print("  These passwords are shown this once; `deskhand member reset` sets new ones.")
    if settings.model.provider == "none":
        console.print("  No chat model is set: answers come verbatim from the knowledge (README: A chat model).")
    console.print("  Ctrl-C stops.\n")


@cli.command()
def chat(
    workspace: Annotated[str, typer.Option(help="The workspace to talk to.")] = "demo",
) -> None:
    """Talk to the desk in this terminal."""

    async def talk(settings: Settings) -> None:
        async with open_process(settings) as process:
            await process.store.workspaces.read(workspace)
            await Terminal(process.store, process.intake, workspace).run()

    run(talk(settings_or_exit()))


@cli.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="FAQ tables or documents.")],
    workspace: Annotated[str, typer.Option(help="The workspace that learns them.")] = "demo",
) -> None:
    """Load FAQ files and documents into a workspace."""

    async def load(store: Store) -> None:
        await store.workspaces.read(workspace)
        for file in files:
            document = await store.catalogue.create(workspace, file.name, file.read_bytes())
            with progress_bar(file.name) as report:
                document = await store.catalogue.load_document(document.id, report)
            console.print(f"{file.name}: {document.status}, {document.entries} entries {document.error or ''}")
            for refused in document.refused:
                console.print(f"  row {refused.row}: {refused.reason}")

    run(with_rows(settings_or_exit(), load))


def studio(_config: object = None) -> Machine:
    """The graph for LangGraph's own studio (langgraph.json), with everything its nodes need bound to it."""
    settings = load_settings()
    embedder = load_embedder(settings)
    knowledge = Knowledge(open_database(settings.database_url), embedder, open_vectors(settings, embedder.model))
    deps = Deps(settings, knowledge, Classifier(embedder, load_examples()), open_chat_model(settings))
    return build_machine(bound_to=deps)


def main() -> None:
    """The `deskhand` command."""
    cli()


if __name__ == "__main__":
    main()
