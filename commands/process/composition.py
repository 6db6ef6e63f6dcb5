"""Composition root: the only place where everything is built and wired."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass

import structlog
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from bot.channel import Channel
from bot.channel_status import ChannelStatusRegistry
from bot.delivery import DeliveryJob
from bot.discord.connection.leases import LocalLeases, ShardLeases
from bot.discord.opening import open_discord
from bot.intake import Intake
from bot.slack.connection.install_links import install_link
from bot.slack.opening import open_slack
from bot.web.channel import WebChannel
from commands.process.job_handlers import handlers_of
from commands.process.memory import tune_malloc
from commands.process.periodic_tasks import periodic_tasks_of
from commands.process.roles import ProcessRole
from graph.checkpoints.checkpointer import InterruptCheckpointer
from graph.checkpoints.opening import open_checkpoints
from graph.desk import Desk
from graph.llm.metrics import ModelMetrics
from graph.llm.opening import build_chat_model, open_chat_model
from graph.machine import Machine, build_machine
from graph.node_metrics import NodeMetrics
from graph.prefetch import EmbeddingPrefetch
from graph.state import Deps
from graph.triage.classifier import Classifier
from graph.triage.examples import load_examples
from graph.triage.language import language_identifier
from graph.turn_runner import TurnRunner
from graph.turn_telemetry import TurnTelemetry
from storage.backoff import RetryPolicy
from storage.cluster.leases import open_leases
from storage.cluster.listen_notify import bridged_events
from storage.database.data_folder import check_data_dir, running_desk
from storage.embeddings.caching import CachingEmbedder
from storage.embeddings.lazy import LazyEmbedder
from storage.embeddings.opening import cached_embedder, load_embedder
from storage.embeddings.protocol import Embedder
from storage.opening import migrate_database, open_index, open_store
from storage.queue.jobs import JobQueue, Queue
from storage.queue.metrics import JobMetrics
from storage.records import ChannelName
from storage.settings import Settings, load_settings
from storage.store import Store
from storage.telemetry.exporters import open_tracing
from storage.telemetry.tracing import Tracing
from workbench.context import WorkbenchContext

DRAIN_SECONDS = 8.0
"""How long running jobs may take after the end was asked for: container platforms kill after ten."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """Everything that one process runs."""

    settings: Settings
    store: Store
    desk: Desk
    runner: TurnRunner
    jobs: JobQueue
    intake: Intake
    delivery: DeliveryJob
    workbench: WorkbenchContext
    channels: dict[ChannelName, Channel]
    states: ChannelStatusRegistry
    routes: list[APIRouter]
    """What the chat platforms call over HTTP."""
    role: ProcessRole = ProcessRole.ALL


@asynccontextmanager
async def open_process(
    settings: Settings,
    role: ProcessRole = ProcessRole.ALL,
    *,
    migrate: bool = True,
    chats: bool = False,
    embedder: Embedder | None = None,
) -> AsyncIterator[Process]:
    """Build a desk, or the part of it that this role has, let it work while the block lasts, and stop in order.

    `chats`: connect to the chat platforms whose tokens are set, as far as the role does that. `embedder`: a model that
    is loaded already, instead of the one that the settings ask for.
    """
    tune_malloc()
    check_data_dir(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(running_desk(settings))
        if migrate:
            await migrate_database(settings)
        model = await open_embedder(settings, role) if embedder is None else cached_embedder(settings, embedder)
        process = await _build(stack, settings, role, model, migrate=migrate)
        if chats:
            await stack.enter_async_context(connect_platforms(process))
        await stack.enter_async_context(working(process))
        yield process


async def _build(
    stack: AsyncExitStack, settings: Settings, role: ProcessRole, embedder: CachingEmbedder, *, migrate: bool
) -> Process:
    """Open what is kept and wire the layers; events of other processes come in from now on."""
    enter = stack.enter_async_context
    store = await enter(open_store(settings, embedder))
    checkpoints = await enter(open_checkpoints(settings, migrate=migrate))
    registry = CollectorRegistry()
    tracing = stack.enter_context(closing(open_tracing()))
    model = await enter(open_chat_model(settings, ModelMetrics(registry)))
    classifier = Classifier(embedder, load_examples(), settings.data_dir / "models")
    if role.runs_graph:
        await enter(warming(classifier))
    deps = Deps(settings, store.knowledge.index, classifier, model)
    jobs = await enter(store.cluster.open_jobs())
    channels: dict[ChannelName, Channel] = {"web": WebChannel(store.cluster.events)}
    process = assemble(settings, store, checkpoints, deps, channels, registry, jobs=jobs, role=role, tracing=tracing)
    await enter(bridged_events(settings.database_url, store.cluster.events))
    await enter(store.cluster.shared_channel_status(process.states.own, process.states.update_elsewhere))
    return process


async def open_embedder(settings: Settings, role: ProcessRole) -> CachingEmbedder:
    """The embedding model; a role that seldom needs it loads it with the first question."""
    inner = await asyncio.to_thread(load_embedder, settings) if role.runs_graph else LazyEmbedder(settings)
    return cached_embedder(settings, inner)


@asynccontextmanager
async def connect_platforms(process: Process) -> AsyncIterator[None]:
    """Connect to the chat platforms; one that cannot be reached is off, and the rest of the desk runs."""
    dependencies = (process.settings, process.store, process.intake, process.desk, process.states)
    async with AsyncExitStack() as stack:
        enter, role = stack.enter_async_context, process.role
        if role.serves_pages or role.connects_platforms:
            slack = await enter(open_slack(*dependencies, connects=role.connects_platforms))
            if slack is not None and role.serves_pages:
                process.routes.append(slack.routes)
            if slack is not None and role.connects_platforms:
                process.channels["slack"] = slack.channel
        if role.connects_platforms:
            discord = await enter(open_discord(*dependencies, await enter(shard_leases(process.settings))))
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
    """Warm up in the background: a seconds-long first use should not fall to the first customer nor delay the start."""
    task = asyncio.create_task(asyncio.to_thread(warm, classifier))
    yield
    await task


def warm(classifier: Classifier) -> None:
    """Fit the classifier and read the language models now."""
    classifier.warm()
    language_identifier()


def assemble(
    settings: Settings,
    store: Store,
    checkpoints: InterruptCheckpointer,
    deps: Deps,
    channels: Mapping[ChannelName, Channel],
    registry: CollectorRegistry | None = None,
    *,
    jobs: JobQueue | None = None,
    role: ProcessRole = ProcessRole.ALL,
    tracing: Tracing | None = None,
) -> Process:
    """Wire the layers; nothing runs yet. Without `jobs` this process has a queue of its own."""
    jobs = jobs or store.cluster.embedded_jobs()
    registry, tracing = registry or CollectorRegistry(), tracing or Tracing()
    machine = build_machine(checkpoints, metrics=NodeMetrics(registry))
    runner = TurnRunner(machine, checkpoints, deps, store, jobs, TurnTelemetry(tracing))
    desk = Desk(runner, store, jobs)
    gather_seconds = settings.conversation.gather_seconds
    expect = prefetch(settings, store.knowledge.index.embedder, role)
    parts = (store.conversations.intake, store.conversations.edits, jobs, store.cluster.events)
    intake = Intake(*parts, gather_seconds, tracing=tracing, prefetch=expect)
    connected, states = dict(channels), ChannelStatusRegistry()
    retries = RetryPolicy(settings.jobs.delivery_attempts, settings.jobs.retry_seconds)
    delivery = DeliveryJob(store.conversations.outbox, connected, store.cluster.events, retries, tracing)
    workbench = WorkbenchContext(
        settings, store, desk, intake.accept, registry, states.all, install_link(settings), queue_liveness(jobs, role)
    )
    return Process(settings, store, desk, runner, jobs, intake, delivery, workbench, connected, states, [], role)


def prefetch(settings: Settings, embedder: Embedder, role: ProcessRole) -> Callable[[str], None] | None:
    """Embedding ahead pays where messages come in and are answered, by a model of this process."""
    if role is not ProcessRole.ALL or settings.embeddings.provider != "local":
        return None
    if not isinstance(embedder, CachingEmbedder):
        return None
    return EmbeddingPrefetch(embedder, settings.guard.max_characters).prefetch


def queue_liveness(jobs: JobQueue, role: ProcessRole) -> Callable[[], bool] | None:
    """Whether the job queue works, for the readiness probe of a role that has jobs to do."""
    return None if role is ProcessRole.WEB else lambda: jobs.is_working


@asynccontextmanager
async def working(process: Process) -> AsyncIterator[None]:
    """Do the jobs of this role, first of all those that an earlier process left unfinished."""
    queues = queues_of(process)
    if process.role.runs_graph:
        await process.store.conversations.outbox.release()
        await reindex_missing_vectors(process.store)
    if queues:
        handlers = handlers_of(process.runner, process.desk, process.delivery)
        periodic_tasks = periodic_tasks_of(process.settings, process.store, process.desk, process.runner, process.jobs)
        metered = JobMetrics(process.workbench.registry).instrument(handlers)
        process.jobs.start(metered, queues=queues, periodic_tasks=periodic_tasks)
    try:
        yield
    finally:
        await process.jobs.stop(DRAIN_SECONDS)


def queues_of(process: Process) -> Collection[Queue]:
    """What this role works on: replies go out where their channel's connection is."""
    match process.role:
        case ProcessRole.ALL:
            return tuple(Queue)
        case ProcessRole.WEB:
            return ()
        case ProcessRole.WORKER:
            return (Queue.DESK, Queue.DELIVER_WEB)
        case ProcessRole.BOT:
            return tuple(Queue(f"deliver-{name}") for name in process.channels if name != "web")


async def reindex_missing_vectors(store: Store) -> None:
    """Embed again from the rows after a change of the embedding model, or when the vectors' folder is gone."""
    for workspace in await store.accounts.workspaces.all():
        if await store.knowledge.index.chunks.lacks_vectors(workspace.id):
            log.info("making vectors anew", workspace=workspace.id)
            await store.knowledge.index.reindex(workspace.id)


def studio(_config: object = None) -> Machine:
    """The graph for LangGraph's own studio (langgraph.json), with everything its nodes need bound to it."""
    settings = load_settings()
    embedder = load_embedder(settings)
    deps = Deps(
        settings, open_index(settings, embedder), Classifier(embedder, load_examples()), build_chat_model(settings)
    )
    return build_machine(fixed_deps=deps)
