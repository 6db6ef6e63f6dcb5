"""The one committed end of a turn: sent, held for a person, handed off or dismissed."""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import (
    drafts,
    labels,
    messages,
    turn_queue,
)
from storage.database.engine import Database
from storage.database.tables import reviews, turns, workspaces
from storage.records import (
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    Draft,
    Mode,
    Outcome,
    ReviewStatus,
    Triage,
    TurnStatus,
    Visibility,
    WorkspaceSettings,
    new_id,
)
from storage.turns import statements

MAX_RESTARTS = 3
"""How often newer words restart a turn before it answers what it has seen; the rest gets the next turn."""

OVER = (TurnStatus.DONE, TurnStatus.SUPERSEDED)
SETTLED = (ConversationStatus.RESOLVED, ConversationStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a run of the graph came to."""

    turn_id: str
    workspace_id: str
    conversation_id: str
    upto_seq: int
    question: str
    draft: Draft
    triage: Triage
    version: int = 1
    held_because: tuple[str, ...] = ()
    checkpoint_id: str | None = None
    """The durable checkpoint that a held run goes on from."""


class CommitResult(Enum):
    """What became of a proposal when it met the rows."""

    COMMITTED = auto()
    CONTINUED = auto()
    """Committed, though the customer had written more: a new turn over the rest is queued."""
    RESTART = auto()
    """The customer wrote more: the turn runs again over everything unanswered."""
    DROPPED = auto()
    """The turn had ended already, was overtaken, or a person has the conversation."""
    SUPERSEDED_BY_WORKER = auto()
    """Another worker runs the same turn and got further: what it has kept stays."""


class TurnCompletion:
    """Ends each turn once, however its run and the rows have moved meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, proposal: TurnResult, *, decision: Decision | None = None) -> CommitResult:
        """End the turn with a reply: the bot's own, or as a person approved or edited it."""
        async with self._database.write() as connection:
            turn, conversation, ending = await self._meet(connection, proposal, decision)
            if ending is not None:
                return ending
            draft_id = await self._draft_id(connection, proposal, decision)
            seq = conversation["last_seq"] + 1
            edited = decision is not None and decision.kind is DecisionKind.EDIT
            message_id = await messages.append(
                connection,
                conversation,
                seq,
                Author.AGENT if edited else Author.BOT,
                proposal.draft.text,
                member_id=decision.member_id if decision else None,
                turn_id=turn["id"],
                draft_id=draft_id,
            )
            await messages.dispatch(connection, conversation, message_id, seq)
            await self._answered(connection, conversation, proposal, seq, alone=decision is None)
            outcome = Outcome.REVIEWED if decision else Outcome.SENT
            await self._end(connection, proposal, outcome, {"message_id": message_id, **_said(decision)})
            return await self._rest(connection, turn, conversation, proposal)

    async def hold(self, proposal: TurnResult, decision: Decision | None = None) -> CommitResult:
        """Stop for a person: a new review, and the customer is told once per wait.

        `decision` is the rejection that asked for this redraft.
        """
        async with self._database.write() as connection:
            turn, conversation, ending = await self._meet(connection, proposal, decision)
            if ending is not None:
                return ending
            if decision is not None:
                await labels.by_decision(connection, turn["id"], proposal.workspace_id, decision)
            newer = conversation["customer_seq"] > proposal.upto_seq
            if newer and turn["status"] == TurnStatus.QUEUED:
                # However often: a draft that newer words have overtaken already cannot be decided.
                return CommitResult.RESTART
            if newer or conversation["status"] in SETTLED:
                await self._end(connection, proposal, None, {}, status=TurnStatus.SUPERSEDED)
                return CommitResult.DROPPED
            await self._review(connection, proposal)
            await connection.execute(
                update(turns)
                .where(turns.c.id == proposal.turn_id)
                .values(
                    status=TurnStatus.WAITING,
                    upto_seq=proposal.upto_seq,
                    checkpointed=True,
                    checkpoint_id=proposal.checkpoint_id,
                )
            )
            await self._waiting(connection, conversation, proposal, ConversationStatus.PENDING, notify=True)
            return CommitResult.COMMITTED

    async def hand_off(self, proposal: TurnResult, *, mode: Mode, decision: Decision | None = None) -> CommitResult:
        """End the turn without a reply: a person answers by hand. In shadow mode the draft is kept, unseen."""
        async with self._database.write() as connection:
            _, conversation, ending = await self._meet(connection, proposal, decision)
            if ending is not None:
                return ending
            if not _escalated(decision):
                await self._draft_id(connection, proposal, None)
                notify = mode is not Mode.SHADOW
                await self._waiting(connection, conversation, proposal, ConversationStatus.ASSIGNED, notify=notify)
            await self._end(
                connection, proposal, Outcome.HANDOFF, {"because": list(proposal.held_because), **_said(decision)}
            )
            return CommitResult.COMMITTED

    async def dismiss(self, proposal: TurnResult, decision: Decision | None = None) -> CommitResult:
        """End the turn with nothing sent: a person decided so, or there was nothing left to answer."""
        async with self._database.write() as connection:
            turn, conversation, ending = await self._meet(connection, proposal, decision)
            if ending is not None:
                return ending
            more = conversation["customer_seq"] > proposal.upto_seq
            await connection.execute(
                statements.CHANGE_CONVERSATION,
                {
                    "this_conversation": conversation["id"],
                    "status": _after_reply(conversation),
                    "answered_seq": _answered_seq(conversation, proposal),
                    "told_waiting": False,
                    "waiting_since": conversation["waiting_since"] if more else None,
                    "updated_at": clock.now(),
                },
            )
            await self._end(connection, proposal, Outcome.DISMISSED, _said(decision))
            return await self._rest(connection, turn, conversation, proposal)

    async def _meet(
        self, connection: AsyncConnection, proposal: TurnResult, decision: Decision | None
    ) -> tuple[RowMapping, RowMapping, CommitResult | None]:
        """Lock the rows that this proposal is about, and say whether it still applies to them."""
        conversation = await messages.lock(connection, proposal.workspace_id, proposal.conversation_id)
        found = await connection.execute(statements.TURN, {"turn_id": proposal.turn_id})
        turn = found.mappings().one_or_none()
        if conversation is None or turn is None:
            raise LookupError(proposal.turn_id)
        if turn["status"] in OVER:
            return turn, conversation, CommitResult.DROPPED
        if not await self._is_next(connection, turn, proposal, decision):
            return turn, conversation, CommitResult.SUPERSEDED_BY_WORKER
        if conversation["status"] == ConversationStatus.ASSIGNED and not _escalated(decision):
            await self._silence(connection, conversation, proposal, decided=turn["status"] == TurnStatus.DECIDED)
            return turn, conversation, CommitResult.DROPPED
        newer = turn["status"] == TurnStatus.QUEUED and conversation["customer_seq"] > proposal.upto_seq
        if newer and turn["attempts"] < MAX_RESTARTS:
            again = update(turns).where(turns.c.id == turn["id"]).values(attempts=turns.c.attempts + 1)
            await connection.execute(again)
            return turn, conversation, CommitResult.RESTART
        return turn, conversation, None

    async def _is_next(
        self, connection: AsyncConnection, turn: RowMapping, proposal: TurnResult, decision: Decision | None
    ) -> bool:
        """Whether the turn is where this run of it began: queued, or decided about the very draft it went on from."""
        if decision is None:
            return bool(turn["status"] == TurnStatus.QUEUED)
        if turn["status"] != TurnStatus.DECIDED:
            return False
        newest = select(func.max(reviews.c.version)).where(reviews.c.turn_id == turn["id"])
        redrafts = 1 if decision.kind is DecisionKind.REJECT else 0
        return bool((await connection.execute(newest)).scalar_one() == proposal.version - redrafts)

    async def _rest(
        self, connection: AsyncConnection, turn: RowMapping, conversation: RowMapping, proposal: TurnResult
    ) -> CommitResult:
        """What the customer wrote after the words that this turn answered gets a turn of its own."""
        if turn["status"] != TurnStatus.QUEUED or conversation["customer_seq"] <= proposal.upto_seq:
            return CommitResult.COMMITTED
        await turn_queue.queue_turn(connection, conversation)
        return CommitResult.CONTINUED

    async def _silence(
        self, connection: AsyncConnection, conversation: RowMapping, proposal: TurnResult, *, decided: bool
    ) -> None:
        """A person took over while the graph ran: the draft is dropped, and an approved one is said to be."""
        if decided:
            await messages.say(connection, conversation, "The approved reply was not sent: a person had taken over.")
        await self._end(connection, proposal, Outcome.SILENCED, {})

    async def _draft_id(self, connection: AsyncConnection, proposal: TurnResult, decision: Decision | None) -> str:
        """A reviewed draft is a row already; a new one becomes one."""
        if decision is not None:
            return await labels.by_decision(connection, proposal.turn_id, proposal.workspace_id, decision)
        return await drafts.keep(
            connection,
            proposal.workspace_id,
            proposal.turn_id,
            version=proposal.version,
            draft=proposal.draft,
            triage=proposal.triage,
            question=proposal.question,
        )

    async def _review(self, connection: AsyncConnection, proposal: TurnResult) -> None:
        draft_id = await self._draft_id(connection, proposal, None)
        review_id = new_id()
        await connection.execute(
            insert(reviews).values(
                id=review_id,
                workspace_id=proposal.workspace_id,
                conversation_id=proposal.conversation_id,
                turn_id=proposal.turn_id,
                draft_id=draft_id,
                version=proposal.version,
                status=ReviewStatus.PENDING,
                held_because=list(proposal.held_because),
                created_at=clock.now(),
            )
        )
        await audit.record(
            connection,
            "review.opened",
            proposal.workspace_id,
            conversation_id=proposal.conversation_id,
            turn_id=proposal.turn_id,
            data={"review_id": review_id, "version": proposal.version, "because": list(proposal.held_because)},
        )

    async def _answered(
        self, connection: AsyncConnection, conversation: RowMapping, proposal: TurnResult, seq: int, *, alone: bool
    ) -> None:
        more = conversation["customer_seq"] > proposal.upto_seq
        await connection.execute(
            statements.CHANGE_CONVERSATION,
            {
                "this_conversation": conversation["id"],
                "status": _after_reply(conversation),
                "last_seq": seq,
                "answered_seq": _answered_seq(conversation, proposal),
                "bot_turns": conversation["bot_turns"] + 1 if alone else 0,
                "intent": proposal.triage.intent,
                "priority": proposal.triage.priority,
                "told_waiting": False,
                "waiting_since": conversation["waiting_since"] if more else None,
                "first_reply_at": conversation["first_reply_at"] or clock.now(),
                "updated_at": clock.now(),
            },
        )

    async def _waiting(
        self,
        connection: AsyncConnection,
        conversation: RowMapping,
        proposal: TurnResult,
        status: ConversationStatus,
        *,
        notify: bool,
    ) -> None:
        tell = notify and not conversation["told_waiting"]
        await connection.execute(
            statements.CHANGE_CONVERSATION,
            {
                "this_conversation": conversation["id"],
                "status": status,
                "intent": proposal.triage.intent,
                "priority": proposal.triage.priority,
                "told_waiting": conversation["told_waiting"] or tell,
                "updated_at": clock.now(),
            },
        )
        if tell:
            notice = await connection.execute(
                select(workspaces.c.settings).where(workspaces.c.id == proposal.workspace_id)
            )
            text = WorkspaceSettings.model_validate(notice.scalar_one()).waiting_notice
            await messages.say(connection, conversation, text, visibility=Visibility.PUBLIC)

    async def _end(
        self,
        connection: AsyncConnection,
        proposal: TurnResult,
        outcome: Outcome | None,
        data: dict[str, object],
        *,
        status: TurnStatus = TurnStatus.DONE,
    ) -> None:
        await connection.execute(
            statements.CHANGE_TURN,
            {
                "this_turn": proposal.turn_id,
                "status": status,
                "outcome": outcome,
                "upto_seq": proposal.upto_seq,
                "finished_at": clock.now(),
            },
        )
        if status is TurnStatus.DONE:
            await self._claim_messages(connection, proposal)
        await audit.record(
            connection,
            f"turn.{outcome or status}",
            proposal.workspace_id,
            conversation_id=proposal.conversation_id,
            turn_id=proposal.turn_id,
            data=data,
        )

    async def _claim_messages(self, connection: AsyncConnection, proposal: TurnResult) -> None:
        """Tie each customer message to the one turn that ended it."""
        await connection.execute(
            statements.CLAIM,
            {
                "this_conversation": proposal.conversation_id,
                "this_turn": proposal.turn_id,
                "upto": proposal.upto_seq,
            },
        )


def _after_reply(conversation: RowMapping) -> ConversationStatus:
    """What was decided before its conversation was resolved or closed does not reopen it."""
    status = ConversationStatus(conversation["status"])
    return status if status in SETTLED else ConversationStatus.OPEN


def _answered_seq(conversation: RowMapping, proposal: TurnResult) -> int:
    """Never backwards: a person may have settled more than this turn answers."""
    return max(int(conversation["answered_seq"]), proposal.upto_seq)


def _escalated(decision: Decision | None) -> bool:
    return decision is not None and decision.kind is DecisionKind.ESCALATE


def _said(decision: Decision | None) -> dict[str, object]:
    return {"decision": decision.kind, "by": decision.member_name} if decision else {}
