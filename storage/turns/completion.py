"""Unit of work at a turn's end: sent, held for a person, handed off or dismissed, once and in one transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import assert_never

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.conversations import messages
from storage.database.engine import Database
from storage.database.tables import reviews
from storage.records import ConversationStatus, Decision, Mode, TurnStatus
from storage.turns import statements
from storage.turns.completion_rows import CompletionRows
from storage.turns.result import CommitResult, TurnResult
from storage.turns.transition import ConversationState, Ending, RunEnd, Transition, TurnState, transition

RESULTS = {
    Transition.IGNORE: CommitResult.DROPPED,
    Transition.YIELD: CommitResult.SUPERSEDED_BY_WORKER,
    Transition.SILENCE: CommitResult.DROPPED,
    Transition.RESTART: CommitResult.RESTART,
    Transition.SUPERSEDE: CommitResult.DROPPED,
    Transition.COMMIT: CommitResult.COMMITTED,
    Transition.COMMIT_AND_CONTINUE: CommitResult.CONTINUED,
}


class TurnCompletion:
    """Ends each turn once, however its run and the rows have moved meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, result: TurnResult, *, decision: Decision | None = None) -> CommitResult:
        """End the turn with a reply: the bot's own, or as a person approved or edited it."""
        async with self._rows(result, decision) as rows:
            return await _complete(rows, "send", rows.send)

    async def hold(self, result: TurnResult, decision: Decision | None = None) -> CommitResult:
        """Stop for a person: a new review, and the customer is told once per wait.

        `decision` is the rejection that asked for this redraft.
        """
        async with self._rows(result, decision) as rows:
            return await _complete(rows, "hold", rows.hold)

    async def hand_off(self, result: TurnResult, *, mode: Mode, decision: Decision | None = None) -> CommitResult:
        """End the turn without a reply: a person answers by hand. In shadow mode the draft is kept, unseen."""
        async with self._rows(result, decision) as rows:
            return await _complete(rows, "hand_off", lambda: rows.hand_off(mode))

    async def dismiss(self, result: TurnResult, decision: Decision | None = None) -> CommitResult:
        """End the turn with nothing sent: a person decided so, or there was nothing left to answer."""
        async with self._rows(result, decision) as rows:
            return await _complete(rows, "dismiss", rows.dismiss)

    @asynccontextmanager
    async def _rows(self, result: TurnResult, decision: Decision | None) -> AsyncIterator[CompletionRows]:
        """The rows that a result is about, with the conversation locked; committed when the block ends."""
        async with self._database.write() as connection:
            conversation = await messages.lock(connection, result.workspace_id, result.conversation_id)
            found = await connection.execute(statements.TURN, {"turn_id": result.turn_id})
            turn = found.mappings().one_or_none()
            if conversation is None or turn is None:
                raise LookupError(result.turn_id)
            yield CompletionRows(connection, turn, conversation, result, decision)


async def _complete(rows: CompletionRows, ending: Ending, commit: Callable[[], Awaitable[None]]) -> CommitResult:
    step = await _transition(rows, ending)
    match step:
        case Transition.IGNORE | Transition.YIELD:
            pass
        case Transition.SILENCE:
            await rows.silence()
        case Transition.RESTART:
            await rows.count_restart()
        case Transition.SUPERSEDE:
            await rows.supersede()
        case Transition.COMMIT:
            await commit()
        case Transition.COMMIT_AND_CONTINUE:
            await commit()
            await rows.queue_rest()
        case unknown:
            assert_never(unknown)
    return RESULTS[step]


async def _transition(rows: CompletionRows, ending: Ending) -> Transition:
    decision = rows.decision.kind if rows.decision else None
    newest_version = await _newest_version(rows.connection, rows.turn) if decision else None
    return transition(
        TurnState(TurnStatus(rows.turn["status"]), rows.turn["attempts"], newest_version),
        ConversationState(ConversationStatus(rows.conversation["status"]), rows.conversation["customer_seq"]),
        RunEnd(ending, rows.result.upto_seq, rows.result.version, decision),
    )


async def _newest_version(connection: AsyncConnection, turn: RowMapping) -> int | None:
    newest = select(func.max(reviews.c.version)).where(reviews.c.turn_id == turn["id"])
    version: int | None = (await connection.execute(newest)).scalar_one()
    return version
