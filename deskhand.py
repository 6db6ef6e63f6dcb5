"""The composition root and command line: the only place where everything is built and wired."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Annotated

import structlog
import typer
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from bot.channel import Channel
from bot.channel_status import ChannelStatusRegistry
from bot.delivery import Delivery, Patience
from bot.discord.opening import open_discord
from bot.discord.shards import LocalLeases, ShardLeases
from bot.intake import Intake
from bot.slack.connection.oauth import invitation
from bot.slack.opening import open_slack
from bot.terminal import Terminal
from bot.web.channel import WebChannel
from bot.web.routes import web_routes
from commands.banner import base_url, greet, load_all
from commands.channels import channel_cli
from commands.checks import doctor, evaluate
from commands.console import console, run, settings_or_exit
from commands.database import db_cli
from commands.ingest import ingest
from commands.job_handlers import handlers_of
from commands.members import member_cli
from commands.periodic_tasks import periodic_tasks_of
from commands.process_memory import give_back_large_blocks, spare_what_stays
from commands.roles import ProcessRole, require_shared
from commands.server import bind, stopping_on_signals
from graph.checkpoints.store import InterruptCheckpointer, open_checkpoints
from graph.desk import Desk
from graph.llm.metrics import ModelMetrics
from graph.llm.protocol import open_chat_model, opened_model
from graph.machine import Machine, build_machine
from graph.node_metrics import NodeMetrics
from graph.prefetch import EmbeddingPrefetch
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from graph.triage.language import identifier
from graph.turn_runner import TurnRunner
from graph.turn_telemetry import TurnTelemetry
from storage.cluster.leases import open_leases
from storage.cluster.listen_notify import bridged_events
from storage.database.data_folder import running_desk
from storage.database.engine import open_database
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.lazy import LazyEmbedder
from storage.embeddings.opening import cached_embedder, load_embedder
from storage.embeddings.protocol import Embedder
from storage.knowledge.search import Knowledge
from storage.knowledge.vectors import open_vectors
from storage.operations.demo import Demo, ensure_demo
from storage.queue.jobs import JobQueue, Queue
from storage.queue.metrics import JobMetrics
from storage.records import ChannelName
from storage.settings import Settings, load_settings
from storage.store import (
    Store,
    check_data_dir,
    migrate_database,
    open_store,
)
from storage.telemetry.tracing import Tracing, open_tracing
from workbench.context import WorkbenchContext
from workbench.http.probes import build_probe_app

DRAIN_SECONDS = 8.0
"""How long running jobs may take after the end was asked for: container platforms kill after ten."""
log = structlog.get_logger(__name__)
cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Deskhand: a support desk with an autopilot.")
cli.add_typer(member_cli, name="member")
cli.add_typer(db_cli, name="db")
cli.add_typer(channel_cli, name="channel")
cli.command()(doctor)
cli.command("eval")(evaluate)
cli.command()(ingest)


@dataclass(frozen=True, slots=True)
class Process:
    """Everything that one process runs."""

    settings: Settings
    store: Store
    desk: Desk
    runner: TurnRunner
    jobs: JobQueue
    intake: Intake
    delivery: Delivery
    office: WorkbenchContext
    channels: dict[ChannelName, Channel]
    states: ChannelStatusRegistry
    routes: list[APIRouter]
    """What the chat platforms call over HTTP."""
    part: ProcessRole = ProcessRole.ALL


@asynccontextmanager
async def open_process(
    settings: Settings,
    part: ProcessRole = ProcessRole.ALL,
    *,
    migrate: bool = True,
    chats: bool = False,
    embedder: Embedder | None = None,
) -> AsyncIterator[Process]:
    """Build this part of a desk, let it work while the block lasts, and stop in order at the end.

    `chats`: connect to the chat platforms whose tokens are set, as far as the part does that. `embedder`: a model that
    is loaded already, instead of the one that the settings ask for.
    """
    give_back_large_blocks()
    check_data_dir(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(running_desk(settings))
        if migrate:
            await migrate_database(settings)
        model = await open_embedder(settings, part) if embedder is None else cached_embedder(settings, embedder)
        process = await _built(stack, settings, part, model, migrate=migrate)
        if chats:
            await stack.enter_async_context(open_chats(process))
        await stack.enter_async_context(working(process))
        yield process


async def _built(
    stack: AsyncExitStack, settings: Settings, part: ProcessRole, embedder: CachingEmbedder, *, migrate: bool
) -> Process:
    """Open what is kept and wire the layers; news of other processes come in from now on."""
    enter = stack.enter_async_context
    store = await enter(open_store(settings, embedder))
    checkpoints = await enter(open_checkpoints(settings, migrate=migrate))
    registry = CollectorRegistry()
    tracing = stack.enter_context(closing(open_tracing()))
    model = await enter(opened_model(settings, ModelMetrics(registry)))
    classifier = Classifier(embedder, load_examples(), settings.data_dir / "models")
    if part.runs_graph:
        await enter(warming(classifier))
    deps = Deps(settings, store.knowledge.index, classifier, model)
    jobs = await enter(store.cluster.open_jobs())
    channels: dict[ChannelName, Channel] = {"web": WebChannel(store.cluster.events)}
    process = assemble(settings, store, checkpoints, deps, channels, registry, jobs=jobs, part=part, tracing=tracing)
    await enter(bridged_events(settings.database_url, store.cluster.events))
    await enter(store.cluster.sharing_channel_status(process.states.own, process.states.hear))
    return process


async def open_embedder(settings: Settings, part: ProcessRole) -> CachingEmbedder:
    """The embedding model; a part that seldom needs it loads it with the first question."""
    inner = await asyncio.to_thread(load_embedder, settings) if part.runs_graph else LazyEmbedder(settings)
    return cached_embedder(settings, inner)


@asynccontextmanager
async def open_chats(process: Process) -> AsyncIterator[None]:
    """Connect to the chat platforms; one that cannot be reached is off, and the rest of the desk runs."""
    parts = (process.settings, process.store, process.intake, process.desk, process.states)
    async with AsyncExitStack() as stack:
        enter, part = stack.enter_async_context, process.part
        if part.serves_pages or part.connects_platforms:
            slack = await enter(open_slack(*parts, connects=part.connects_platforms))
            if slack is not None and part.serves_pages:
                process.routes.append(slack.routes)
            if slack is not None and part.connects_platforms:
                process.channels["slack"] = slack.channel
        if part.connects_platforms:
            discord = await enter(open_discord(*parts, await enter(shard_leases(process.settings))))
            if discord is not None:
                process.channels["discord"] = discord
        yield


@asynccontextmanager
async def shard_leases(settings: Settings) -> AsyncIterator[ShardLeases]:
    """Who leads which of Discord's shards: decided among all processes on this PostgreSQL."""
    if not settings.database_url.startswith("postgresql"):
        yield LocalLeases()
        return
    async with open_leases(settings.database_url) as leases:
        yield leases


@asynccontextmanager
async def warming(classifier: Classifier) -> AsyncIterator[None]:
    """In the background: a seconds-long first use should not fall to the first customer nor delay the start."""
    task = asyncio.create_task(asyncio.to_thread(warm, classifier))
    yield
    await task


def warm(classifier: Classifier) -> None:
    """Fit the classifier and read the language models now."""
    classifier.warm()
    identifier()


def assemble(
    settings: Settings,
    store: Store,
    checkpoints: InterruptCheckpointer,
    deps: Deps,
    channels: Mapping[ChannelName, Channel],
    registry: CollectorRegistry | None = None,
    *,
    jobs: JobQueue | None = None,
    part: ProcessRole = ProcessRole.ALL,
    tracing: Tracing | None = None,
) -> Process:
    """Wire the layers; nothing runs yet. Without `jobs` this process has a queue of its own."""
    jobs = jobs or store.cluster.embedded_jobs()
    registry, tracing = registry or CollectorRegistry(), tracing or Tracing()
    machine = build_machine(checkpoints, times=NodeMetrics(registry))
    runner = TurnRunner(machine, checkpoints, deps, store, jobs, TurnTelemetry(tracing))
    desk = Desk(runner, store, jobs)
    gather_seconds, expect = (
        settings.conversation.gather_seconds,
        prefetch(settings, store.knowledge.index.embedder, part),
    )
    parts = (store.conversations.intake, store.conversations.edits, jobs, store.cluster.events)
    intake = Intake(*parts, gather_seconds, tracing=tracing, expect=expect)
    connected, states = dict(channels), ChannelStatusRegistry()
    patience = Patience(settings.jobs.delivery_attempts, settings.jobs.retry_seconds)
    delivery = Delivery(store.conversations.outbox, connected, store.cluster.events, patience, tracing)
    office = WorkbenchContext(
        settings, store, desk, intake.accept, registry, states.all, invitation(settings), watched_jobs(jobs, part)
    )
    return Process(settings, store, desk, runner, jobs, intake, delivery, office, connected, states, [], part)


def prefetch(settings: Settings, embedder: Embedder, part: ProcessRole) -> Callable[[str], None] | None:
    """Embedding ahead pays where messages come in and are answered, by a model of this process."""
    if part is not ProcessRole.ALL or settings.embeddings.provider != "local":
        return None
    if not isinstance(embedder, CachingEmbedder):
        return None
    return EmbeddingPrefetch(embedder, settings.guard.max_characters).expect


def watched_jobs(jobs: JobQueue, part: ProcessRole) -> Callable[[], bool] | None:
    """What a part that works on jobs says of them when it is asked whether it is ready."""
    return None if part is ProcessRole.WEB else lambda: jobs.is_working


@asynccontextmanager
async def working(process: Process) -> AsyncIterator[None]:
    """Do the jobs of this part, first of all those that an earlier process left unfinished."""
    queues = queues_of(process)
    if process.part.runs_graph:
        await process.store.conversations.outbox.release()
        await remake_vectors(process.store)
    if queues:
        handlers = handlers_of(process.runner, process.desk, process.delivery)
        periodic_tasks = periodic_tasks_of(process.settings, process.store, process.desk, process.runner, process.jobs)
        metered = JobMetrics(process.office.registry).metered(handlers)
        process.jobs.start(metered, queues=queues, periodic_tasks=periodic_tasks)
    try:
        yield
    finally:
        await process.jobs.stop(DRAIN_SECONDS)


def queues_of(process: Process) -> Collection[Queue]:
    """What this part works on: replies go out where their channel's connection is."""
    match process.part:
        case ProcessRole.ALL:
            return tuple(Queue)
        case ProcessRole.WEB:
            return ()
        case ProcessRole.WORKER:
            return (Queue.DESK, Queue.DELIVER_WEB)
        case ProcessRole.BOT:
            return tuple(Queue(f"deliver-{name}") for name in process.channels if name != "web")


async def remake_vectors(store: Store) -> None:
    """After a change of the embedding model, or without the vectors' folder: make them anew from the rows."""
    for workspace in await store.accounts.workspaces.all():
        if await store.knowledge.index.lacks_vectors(workspace.id):
            log.info("making vectors anew", workspace=workspace.id)
            await store.knowledge.index.reindex(workspace.id)


@cli.command()
def up(*, demo: Annotated[bool, typer.Option(help="Make the demo workspace if there is none at all.")] = True) -> None:
    """Run the whole desk in one process."""
    run(serve_all(settings_or_exit(), always_demo=False, demo=demo))


@cli.command()
def demo() -> None:
    """Run the whole desk with the demo workspace (what `make run` does)."""
    run(serve_all(settings_or_exit(), always_demo=True))


@cli.command()
def web() -> None:
    """Serve workbench, web chat, REST and Slack's HTTP events; one of several processes."""
    settings = settings_or_exit()
    run(serve_part(settings, ProcessRole.WEB, settings.web.port, build_pages))


@cli.command()
def worker() -> None:
    """Answer and load documents; one of several processes."""
    settings = settings_or_exit()
    run(serve_part(settings, ProcessRole.WORKER, settings.worker.port, lambda process: build_probe_app(process.office)))


@cli.command()
def bot() -> None:
    """Hold the connections to Slack and Discord; one of several processes."""
    settings = settings_or_exit()
    run(serve_part(settings, ProcessRole.BOT, settings.bot.port, lambda process: build_probe_app(process.office)))


async def serve_all(settings: Settings, *, always_demo: bool, demo: bool = True) -> None:
    """Serve until Ctrl-C; what runs then is finished at the next start."""
    with stopping_on_signals() as stop, closing(bind(settings.web.host, settings.web.port, "web.port")) as listener:
        async with open_process(settings, chats=True) as process:
            fresh = demo and not await process.store.accounts.workspaces.all()
            made = await ensure_demo(process.store, settings) if always_demo or fresh else Demo()
            # Before the desk says that it is ready: the first question may be about them.
            await load_all(process.desk, made.document_ids)
            site, ending = build_pages(process), process.store.cluster.events.close
            spare_what_stays()
            await stop.serve(site, listener, announce=lambda: greet(settings, made), ending=ending)


async def serve_part(settings: Settings, part: ProcessRole, port: int, build: Callable[[Process], FastAPI]) -> None:
    """Serve one part until a signal ends it; the other parts of the desk are processes of their own.

    Nothing is migrated: old and new processes may run beside each other while versions are exchanged.
    """
    require_shared(settings, part)
    with stopping_on_signals() as stop, closing(bind(settings.web.host, port, f"{part}.port")) as listener:
        async with open_process(settings, part, migrate=False, chats=True) as process:
            ready = f"Deskhand {part} is ready on {base_url(settings.web.host, port)} (Ctrl-C stops)."
            site, ending = build(process), process.store.cluster.events.close
            spare_what_stays()
            await stop.serve(site, listener, announce=lambda: console.print(ready), ending=ending)


def build_pages(process: Process) -> FastAPI:
    """Everything that people and platforms reach over HTTP."""
    web = web_routes(process.store, process.intake, process.desk, process.settings)
    # Gradio takes seconds and 80 MB, which only a process with pages should spend.
    site = importlib.import_module("workbench.site").build_site(process.office, [web, *process.routes])
    assert isinstance(site, FastAPI)  # noqa: S101 - what importlib hides from the type checker
    return site


@cli.command()
def chat(
    workspace: Annotated[str, typer.Option(help="The workspace to talk to.")] = "demo",
) -> None:
    """Talk to the desk in this terminal."""

    async def talk(settings: Settings) -> None:
        async with open_process(settings, ProcessRole.WORKER) as process:
            await process.store.accounts.workspaces.read(workspace)
            await Terminal(process.store, process.intake, workspace).run()

    run(talk(settings_or_exit(quiet=True)))


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
