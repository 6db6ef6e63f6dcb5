"""The rows that end a turn: reply, delivery, review, conversation, turn and audit event, within one transaction."""

from dataclasses import dataclass

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import audit, clock
from storage.conversations import drafts, labels, messages, turn_queue
from storage.database.tables import reviews, turns, workspaces
from storage.records import (
    Author,
    ConversationStatus,
    Decision,
    DecisionKind,
    Mode,
    Outcome,
    ReviewStatus,
    TurnStatus,
    Visibility,
    WorkspaceSettings,
    new_id,
)
from storage.turns import statements
from storage.turns.result import TurnResult
from storage.turns.transition import SETTLED


@dataclass(frozen=True, slots=True)
class CompletionRows:
    """Writes what `storage.turns.transition` has decided; the conversation is locked."""

    connection: AsyncConnection
    turn: RowMapping
    conversation: RowMapping
    result: TurnResult
    decision: Decision | None

    async def send(self) -> None:
        """End the turn with a reply on its way to the channel."""
        draft_id = await self._draft_id()
        seq = self.conversation["last_seq"] + 1
        edited = self.decision is not None and self.decision.kind is DecisionKind.EDIT
        message_id = await messages.append(
            self.connection,
            self.conversation,
            seq,
            Author.AGENT if edited else Author.BOT,
            self.result.draft.text,
            member_id=self.decision.member_id if self.decision else None,
            turn_id=self.turn["id"],
            draft_id=draft_id,
        )
        await messages.dispatch(self.connection, self.conversation, message_id, seq)
        await self._change_conversation(
            status=self._status_after(),
            last_seq=seq,
            answered_seq=self._answered_seq(),
            bot_turns=0 if self.decision else self.conversation["bot_turns"] + 1,
            intent=self.result.triage.intent,
            priority=self.result.triage.priority,
            waiting_notified=False,
            waiting_since=self._waiting_since(),
            first_reply_at=self.conversation["first_reply_at"] or clock.now(),
        )
        outcome = Outcome.REVIEWED if self.decision else Outcome.SENT
        await self._end(outcome, {"message_id": message_id, **self._decision_data()})

    async def hold(self) -> None:
        """Let the turn wait for a person's decision on its draft."""
        await self._label_rejected()
        await self._open_review()
        await self.connection.execute(
            update(turns)
            .where(turns.c.id == self.result.turn_id)
            .values(
                status=TurnStatus.WAITING,
                upto_seq=self.result.upto_seq,
                checkpointed=True,
                checkpoint_id=self.result.checkpoint_id,
            )
        )
        await self._wait_for_person(ConversationStatus.PENDING, notify=True)

    async def hand_off(self, mode: Mode) -> None:
        """End the turn without a reply; a person has the conversation, after an escalation already."""
        if self.decision is None or self.decision.kind is not DecisionKind.ESCALATE:
            await self._keep_draft()
            await self._wait_for_person(ConversationStatus.ASSIGNED, notify=mode is not Mode.SHADOW)
        await self._end(Outcome.HANDOFF, {"because": list(self.result.held_because), **self._decision_data()})

    async def dismiss(self) -> None:
        """End the turn with nothing sent."""
        await self._change_conversation(
            status=self._status_after(),
            answered_seq=self._answered_seq(),
            waiting_notified=False,
            waiting_since=self._waiting_since(),
        )
        await self._end(Outcome.DISMISSED, self._decision_data())

    async def silence(self) -> None:
        """A person took over while the graph ran: the draft is dropped, and an approved one is said to be."""
        if self.turn["status"] == TurnStatus.DECIDED:
            line = "The approved reply was not sent: a person had taken over."
            await messages.say(self.connection, self.conversation, line)
        await self._end(Outcome.SILENCED, {})

    async def supersede(self) -> None:
        """End a turn whose redraft nobody can decide on any more."""
        await self._label_rejected()
        await self._end(None, {}, status=TurnStatus.SUPERSEDED)

    async def count_restart(self) -> None:
        """Leave the turn queued: its next run reads the newer words too."""
        counted = update(turns).where(turns.c.id == self.turn["id"]).values(attempts=turns.c.attempts + 1)
        await self.connection.execute(counted)

    async def queue_rest(self) -> None:
        """What the customer wrote after the words that this turn answered gets a turn of its own."""
        await turn_queue.queue_turn(self.connection, self.conversation)

    async def _draft_id(self) -> str:
        """A reviewed draft is a row already; a new one becomes one."""
        if self.decision is None:
            return await self._keep_draft()
        return await labels.by_decision(self.connection, self.result.turn_id, self.result.workspace_id, self.decision)

    async def _keep_draft(self) -> str:
        return await drafts.keep(
            self.connection,
            self.result.workspace_id,
            self.result.turn_id,
            version=self.result.version,
            draft=self.result.draft,
            triage=self.result.triage,
            question=self.result.question,
        )

    async def _label_rejected(self) -> None:
        if self.decision is not None:
            await labels.by_decision(self.connection, self.turn["id"], self.result.workspace_id, self.decision)

    async def _open_review(self) -> None:
        draft_id, review_id = await self._keep_draft(), new_id()
        because = list(self.result.held_because)
        await self.connection.execute(
            insert(reviews).values(
                id=review_id,
                workspace_id=self.result.workspace_id,
                conversation_id=self.result.conversation_id,
                turn_id=self.result.turn_id,
                draft_id=draft_id,
                version=self.result.version,
                status=ReviewStatus.PENDING,
                held_because=because,
                created_at=clock.now(),
            )
        )
        data = {"review_id": review_id, "version": self.result.version, "because": because}
        await self._record("review.opened", data)

    async def _wait_for_person(self, status: ConversationStatus, *, notify: bool) -> None:
        """The next word is a person's; the customer is told so once per wait."""
        tell = notify and not self.conversation["waiting_notified"]
        await self._change_conversation(
            status=status,
            intent=self.result.triage.intent,
            priority=self.result.triage.priority,
            waiting_notified=self.conversation["waiting_notified"] or tell,
        )
        if tell:
            found = await self.connection.execute(
                select(workspaces.c.settings).where(workspaces.c.id == self.result.workspace_id)
            )
            notice = WorkspaceSettings.model_validate(found.scalar_one()).waiting_notice
            await messages.say(self.connection, self.conversation, notice, visibility=Visibility.PUBLIC)

    async def _change_conversation(self, **values: object) -> None:
        await self.connection.execute(
            messages.CHANGE_CONVERSATION,
            {"this_conversation": self.conversation["id"], "updated_at": clock.now(), **values},
        )

    async def _end(
        self, outcome: Outcome | None, data: dict[str, object], *, status: TurnStatus = TurnStatus.DONE
    ) -> None:
        await self.connection.execute(
            statements.CHANGE_TURN,
            {
                "this_turn": self.result.turn_id,
                "status": status,
                "outcome": outcome,
                "upto_seq": self.result.upto_seq,
                "finished_at": clock.now(),
            },
        )
        if status is TurnStatus.DONE:
            await self._claim_messages()
        await self._record(f"turn.{outcome or status}", data)

    async def _claim_messages(self) -> None:
        """Tie each customer message to the one turn that ended it."""
        await self.connection.execute(
            statements.CLAIM,
            {
                "this_conversation": self.result.conversation_id,
                "this_turn": self.result.turn_id,
                "upto": self.result.upto_seq,
            },
        )

    async def _record(self, kind: str, data: dict[str, object]) -> None:
        await audit.record(
            self.connection,
            kind,
            self.result.workspace_id,
            conversation_id=self.result.conversation_id,
            turn_id=self.result.turn_id,
            data=data,
        )

    def _status_after(self) -> ConversationStatus:
        """What was decided before its conversation was resolved or closed does not reopen it."""
        status = ConversationStatus(self.conversation["status"])
        return status if status in SETTLED else ConversationStatus.OPEN

    def _answered_seq(self) -> int:
        """Never backwards: a person may have settled more than this turn answers."""
        return max(int(self.conversation["answered_seq"]), self.result.upto_seq)

    def _waiting_since(self) -> object:
        """Who wrote more meanwhile waits on."""
        is_overtaken = self.conversation["customer_seq"] > self.result.upto_seq
        return self.conversation["waiting_since"] if is_overtaken else None

    def _decision_data(self) -> dict[str, object]:
        return {"decision": self.decision.kind, "by": self.decision.member_name} if self.decision else {}
