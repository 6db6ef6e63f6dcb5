"""A desk of two workers with everything around it, moved by one act at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import delete, update

from graph.checkpoints.checkpointer import InterruptCheckpointer
from storage import clock
from storage.database.tables import deliveries, metadata, turns
from storage.errors import (
    AlreadyDecidedError,
    ConversationClosedError,
    InvalidError,
    NotAllowedError,
    StaleError,
)
from storage.queue.jobs import Job
from storage.queue.recovery import most_urgent
from storage.records import (
    ConversationStatus,
    Decision,
    DecisionKind,
    DeliveryStatus,
    Incoming,
    Review,
    TurnStatus,
)
from storage.store import Store
from tests.support.model import (
    Model,
    Rows,
    always,
    at_rest,
)
from tests.support.rows import database_of
from tests.support.stepping import (
    RoughBoard,
    Run,
    SteppingCheckpoints,
    stepping_store,
)
from tests.support.workers import Desks, Worker

KEPT = {"accounts", "deployment", "workspaces", "members", "documents", "chunks"}
MOST_ROUNDS = 40
"""Far more than any conversation needs to come to rest."""


class BrokenPromiseError(AssertionError):
    """The desk did what it must never do."""


@dataclass
class World:
    """The rows and the platform, which stay, and two workers, which come and go."""

    desks: Desks
    model: Model = field(default_factory=Model)
    violations: list[str] = field(default_factory=list)
    running: list[Run] = field(default_factory=list)
    done: list[Job] = field(default_factory=list)
    told: list[Incoming] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board = RoughBoard()
        self.desks.board = self.board
        self.store: Store = stepping_store(self.desks.store, self.desks.settings, self.violations)
        self.workers = [self._worker() for _ in range(2)]

    def _worker(self) -> Worker:
        durable = self.desks.durable
        return self.desks.worker(self.store, checkpoints=SteppingCheckpoints(durable))

    async def clear(self) -> None:
        """Forget the conversations of the example before."""
        async with database_of(self.desks.store).write() as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name not in KEPT:
                    await connection.execute(delete(table))
        await InterruptCheckpointer(self.desks.durable).delete(tuple(await self._checkpoints()))

    # What customers and people do.

    async def tell(self, worker: int, incoming: Incoming) -> None:
        """The platform tells of a message, for the first time or again."""
        known = incoming.external_id in self.model.accepted
        accepted = await self.workers[worker].intake.accept(incoming)
        if accepted.repeated != known:
            raise BrokenPromiseError(f"told {'again' if known else 'first'}, taken for the contrary: {incoming.text}")
        if known and accepted.message_id != self.model.accepted[incoming.external_id]:
            raise BrokenPromiseError(f"a repeated message became another one: {incoming.text}")
        self.model.accepted[incoming.external_id] = accepted.message_id
        if not known:
            self.model.newest[accepted.conversation_id] = accepted.seq

    async def decide(self, review: Review, decision: Decision, based_on: int, agent: int) -> None:
        """A person decides, late or twice perhaps."""
        expected = self.model.expected(review, based_on)
        member = self.desks.agents[agent]
        try:
            await self.workers[agent % 2].desk.decide(member, review.id, decision, based_on=based_on)
        except (AlreadyDecidedError, StaleError) as error:
            self._check_refusal(review, error, expected)
        except InvalidError:
            if decision.kind is not DecisionKind.APPROVE or review.draft.text:
                raise
        else:
            if expected is not None:
                raise BrokenPromiseError(f"{decision.kind} was taken, {expected.__name__} expected")
            self.model.decided(review, decision.kind, member.name)

    def _check_refusal(
        self, review: Review, error: AlreadyDecidedError | StaleError, expected: type[Exception] | None
    ) -> None:
        if type(error) is not expected:
            raise BrokenPromiseError(f"expected {expected}, got {error!r}") from error
        if isinstance(error, AlreadyDecidedError) and error.by != self.model.seen[review.id].decided_by:
            raise BrokenPromiseError(f"handled by {error.by}, they say") from error

    async def act(self, conversation_id: str, act: str, agent: int) -> None:
        """A person or the customer does something with a conversation; what it refuses changes nothing."""
        before = (await self.desks.store.conversations.reading.read("demo", conversation_id)).status
        try:
            await self._acts(agent)[act](conversation_id)
        except ConversationClosedError:
            if before is not ConversationStatus.CLOSED:
                raise
        except (NotAllowedError, InvalidError):
            return
        else:
            self.model.acted(conversation_id, act, before)

    def _acts(self, agent: int) -> dict[str, Callable[[str], Awaitable[object]]]:
        desk, member = self.workers[agent % 2].desk, self.desks.agents[agent]
        return {
            "take over": partial(desk.take_over, member),
            "reply": lambda conversation_id: desk.reply(member, conversation_id, f"By hand, {len(self.done)}."),
            "hand back": partial(desk.hand_back, member),
            "ask for a person": partial(desk.ask_person, "demo"),
            "resolve": partial(desk.resolve, "demo", member=member),
            "close": partial(desk.close, "demo"),
        }

    # What the machines do.

    async def start(self, worker: int, job: Job, steps: int | None) -> None:
        """A worker takes a job."""
        run = Run(self.workers[worker], job, steps)
        self.running.append(run)
        self.done.append(job)
        await self.advance(run, steps)

    async def advance(self, run: Run, steps: int | None) -> None:
        """A job goes on for so many steps."""
        if not await run.advance(steps):
            return
        self.running.remove(run)
        assert run.task
        if run.task.result() is not None:
            await run.worker.pile.enqueue(run.job)

    def free(self, worker: int) -> list[Job]:
        """The jobs that a worker may take: one at a time in each conversation."""
        busy = {run.job.key for run in self.running if run.worker is self.workers[worker]}
        return [job for job in self.workers[worker].pile.jobs if job.key not in busy]

    async def crash(self, worker: int) -> None:
        """A worker loses its power, and a new one starts over the same rows."""
        gone = self.workers[worker]
        for run in [run for run in self.running if run.worker is gone]:
            await run.cut()
            self.running.remove(run)
        self.workers[worker] = self._worker()
        await self.recover(worker)

    async def crash_all(self) -> None:
        """The whole desk loses its power."""
        for worker in range(2):
            await self.crash(worker)
        await self.desks.store.conversations.outbox.release()
        await self.workers[0].runner.sweep()

    async def recover(self, worker: int) -> None:
        """What the rows ask for becomes jobs again."""
        for job in (await most_urgent(database_of(self.desks.store), limit=1000)).jobs:
            await self.workers[worker].pile.enqueue(job)

    async def pass_time(self) -> None:
        """All pauses are over, and so are the leases of the dead."""
        held = [run.holding for run in self.running if run.holding]
        waits = (deliveries.c.status == DeliveryStatus.PENDING) & deliveries.c.id.not_in(held)
        async with database_of(self.desks.store).write() as connection:
            await connection.execute(update(deliveries).where(waits).values(next_attempt_at=clock.now()))
            queued = update(turns).where(turns.c.status == TurnStatus.QUEUED)
            await connection.execute(queued.values(due_at=clock.now()))

    async def rest(self) -> None:
        """Everything that is under way comes to its end, and is looked at."""
        self.board.faults.clear()
        for run in list(self.running):
            await self.advance(run, None)
        for _ in range(MOST_ROUNDS):
            await self.pass_time()
            await self.recover(0)
            if not any(worker.pile.jobs for worker in self.workers):
                break
            await self.work()
        else:
            raise BrokenPromiseError("the desk does not come to rest")
        await self.look()
        await self._look_at_rest()

    async def stop(self) -> None:
        """Nothing of this desk goes on."""
        for run in self.running:
            await run.cut()

    async def work(self) -> None:
        """Every job that waits now is done, those aside whose conversation is busy."""
        for number, worker in enumerate(self.workers):
            for job in self.free(number):
                worker.pile.jobs.remove(job)
                await self.start(number, job, None)

    # What is looked at.

    async def look(self) -> None:
        """See the reviews that have appeared, and what must hold at every moment."""
        for review in await self.desks.pending():
            self.model.see(review)
        rows = await Rows.read(database_of(self.desks.store))
        self._blame([*self.violations, *always(rows, self._posts())])

    async def _look_at_rest(self) -> None:
        """What must hold when nothing is under way."""
        await self.workers[0].runner.sweep()
        rows = await Rows.read(database_of(self.desks.store))
        posted = {delivery_id for delivery_id, _, _ in self._posts()}
        self._blame(at_rest(rows, self.model, posted, await self._checkpoints()))

    def _posts(self) -> list[tuple[str, str, int]]:
        return [(post.delivery_id, post.conversation_id, post.message.seq) for post in self.board.posts]

    async def _checkpoints(self) -> set[str]:
        return {item.config["configurable"]["thread_id"] async for item in self.desks.durable.alist(None)}

    def _blame(self, wrong: list[str]) -> None:
        if wrong:
            raise BrokenPromiseError("\n".join(wrong))
