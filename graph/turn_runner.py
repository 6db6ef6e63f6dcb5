"""The jobs of a turn: run the graph to its end or to its interrupt, and commit what it recommends.

The job queue calls these; a run that is repeated changes nothing, because the rows decide what is left to do.
"""

import contextlib
from dataclasses import replace
from typing import Any

import structlog
from langgraph.types import Command

from graph.change_publisher import ChangePublisher
from graph.checkpoints.checkpointer import InterruptCheckpointer, config_of
from graph.checkpoints.rebuild import graph_version, is_usable, state_from_rows
from graph.drafting.summary import summarise
from graph.errors import ModelError
from graph.hitl import response_for
from graph.machine import Machine
from graph.state import (
    Deps,
    State,
    TurnInput,
)
from graph.turn_telemetry import TurnTelemetry
from storage.clock import now
from storage.errors import ConversationClosedError
from storage.queue.jobs import (
    Job,
    JobKind,
    Jobs,
    RunAt,
)
from storage.records import (
    Decision,
    Draft,
    Line,
    Mode,
    Review,
    Triage,
    Verdict,
    WorkspaceSettings,
    new_id,
)
from storage.store import Store
from storage.telemetry.tracing import Tracing, span
from storage.turns.begin import DecidedTurn, NotYet, TurnWork
from storage.turns.result import CommitResult, TurnResult

log = structlog.get_logger(__name__)


class TurnRunner:
    """Runs turns: from their beginning, from a decision, or dry for a question that nobody has asked yet."""

    def __init__(
        self,
        machine: Machine,
        checkpoints: InterruptCheckpointer,
        deps: Deps,
        store: Store,
        jobs: Jobs,
        telemetry: TurnTelemetry | None = None,
    ) -> None:
        self._machine = machine
        self.checkpoints = checkpoints
        self.checkpoints.graph_version = graph_version(machine.nodes, machine.channels)
        self._deps = deps
        self._turns = store.conversations.turns
        self._completion = store.conversations.completion
        self._reviews = store.conversations.reviews
        self._actions = store.conversations.actions
        self._summaries = store.conversations.summaries
        self._changes = ChangePublisher(jobs, store.cluster.events)
        self._jobs = jobs
        self._telemetry = telemetry or TurnTelemetry(Tracing())

    @property
    def blocked_terms(self) -> tuple[str, ...]:
        """The terms that this deployment blocks in every workspace."""
        return self._deps.settings.guard.blocked_terms

    async def answer(self, turn_id: str) -> RunAt | None:
        """The job of a turn: run the graph over what is unanswered and commit the end; harmless if it is over."""
        work = await self._turns.begin(turn_id)
        match work:
            case None:
                return None
            case NotYet(until):
                return RunAt(until)
            case TurnWork():
                with self._telemetry.answering(work):
                    return await self._answer(work)

    async def _answer(self, work: TurnWork) -> RunAt | None:
        await self._delete_checkpoints(work.obsolete_checkpoints)
        if work.is_assigned or not work.question:
            # The completion sees the owner; without an owner there was nothing left to answer.
            state = State(draft=Draft(), ending="dismiss")
            committed = await self._completion.dismiss(_result_of(work, state))
        else:
            committed, state = await self._run_turn(work)
        self._telemetry.answered(work, committed, state)
        if committed is CommitResult.CONTINUED and (rest := await self._turns.queued_turn(work.conversation_id)):
            await self._jobs.enqueue(Job(JobKind.ANSWER, rest, work.conversation_id))
        return RunAt(now()) if committed is CommitResult.RESTART else None

    async def _run_turn(self, work: TurnWork) -> tuple[CommitResult, State]:
        with self.checkpoints.starting(work.turn_id):
            state = await self._run(work.turn_id, State(turn=_turn_input(work), version=1))
            mode = work.settings.mode_of(work.channel, work.place_mode)
            committed = await self._commit(_result_of(work, state), state, mode)
        await self._changes.publish_and_deliver(work.workspace_id, work.conversation_id, work.channel)
        if work.needs_summary and self._deps.model is not None:
            await self._jobs.enqueue(Job(JobKind.SUMMARISE, work.conversation_id, work.conversation_id))
        return committed, state

    async def summarise(self, conversation_id: str) -> None:
        """The job of a long conversation: fold its older messages into the summary; a failing model leaves it."""
        keep = self._deps.settings.conversation.history_messages
        older = await self._summaries.unsummarised(conversation_id, keep)
        if older is None or self._deps.model is None:
            return
        lines = [Line(author=message.author, text=message.text) for message in older.messages]
        try:
            summary = await summarise(older.summary, lines, self._deps.model)
        except ModelError as error:
            log.warning("summary failed", conversation=conversation_id, kind=error.kind)
            return
        await self._summaries.replace(conversation_id, older, summary)

    async def resume(self, review_id: str) -> None:
        """The job of a decision: let the graph go on from its interrupt, and commit where it ends."""
        review = await self._reviews.by_id(review_id)
        if review is None or review.decision is None:
            return
        decided = await self._turns.decided_turn(review.turn_id, review.version)
        if decided is not None:
            with self._telemetry.resuming(review):
                await self._resume(review, review.decision, decided)

    async def _resume(self, review: Review, decision: Decision, decided: DecidedTurn) -> None:
        with self.checkpoints.resuming(review.turn_id, decided.checkpoint_id):
            await self._rebuild_if_lost(review)
            state = await self._run(review.turn_id, Command(resume=response_for(decision)))
            result = TurnResult(
                turn_id=review.turn_id,
                workspace_id=review.workspace_id,
                conversation_id=review.conversation_id,
                upto_seq=decided.upto_seq,
                question=review.question,
                draft=state["draft"],
                triage=state.get("triage", review.triage),
                version=state.get("version", review.version),
                held_because=state["verdict"].held_because,
            )
            committed = await self._commit(result, state, Mode.AUTO, decision)
        self._telemetry.resumed(review, committed, state)
        if "ending" in state and committed is not CommitResult.SUPERSEDED_BY_WORKER:
            await self._delete_checkpoints((review.turn_id,))
        await self._changes.publish_and_deliver(review.workspace_id, review.conversation_id, decided.channel)

    async def give_up(self, job: Job, reason: str) -> None:
        """The last resort of a turn or a decision whose job failed at every try: a person gets the conversation."""
        turn = await self._turns.unfinished(job.id, job.kind is JobKind.RESUME)
        if turn is None:
            return
        workspace_id, conversation_id, notice = turn.workspace_id, turn.conversation_id, turn.waiting_notice
        because = f"The desk could not finish this turn ({reason}); a person has to answer."
        with contextlib.suppress(ConversationClosedError):
            await self._actions.hand_to_person(workspace_id, conversation_id, because=because, notice=notice)
        await self._turns.end_failed(job.id, job.kind is JobKind.RESUME)
        self._telemetry.given_up(turn, job.kind)
        await self._changes.publish_and_deliver(workspace_id, conversation_id)

    async def propose(
        self, workspace_id: str, question: str, settings: WorkspaceSettings
    ) -> tuple[Draft, Verdict, Triage]:
        """A draft for a question, and what would happen with it; nothing is kept or sent."""
        turn_id = new_id()
        turn = TurnInput(
            workspace_id=workspace_id,
            conversation_id=turn_id,
            turn_id=turn_id,
            channel="web",
            question=question,
            settings=settings,
        )
        with self.checkpoints.starting(turn_id):
            state = await self._run(turn_id, State(turn=turn, version=1))
        return state["draft"], state["verdict"], state.get("triage", Triage())

    async def sweep(self) -> None:
        """Delete the checkpoints of ended turns that a crash left behind."""
        await self._delete_checkpoints(await self._turns.leftover_checkpoints())

    async def _rebuild_if_lost(self, review: Review) -> None:
        config = config_of(review.turn_id)
        if is_usable(await self.checkpoints.aget_tuple(config), self.checkpoints.graph_version):
            return
        log.warning("review resumes from its rows: no usable checkpoint", review=review.id)
        self.checkpoints.disregard_durable(review.turn_id)
        turn = _turn_input(await self._turns.work_of(review.turn_id)).model_copy(update={"question": review.question})
        await self._machine.aupdate_state(config, await state_from_rows(review, turn, self._deps), as_node="check")

    async def _run(self, turn_id: str, start: State | Command[Any]) -> State:
        config = config_of(turn_id)
        # Version 2 streams nothing but the values, of which the last are the result.
        result = await self._machine.ainvoke(start, config, context=self._deps, durability="exit", version="v2")
        return result.value

    async def _commit(
        self, result: TurnResult, state: State, mode: Mode, decision: Decision | None = None
    ) -> CommitResult:
        with span("commit"):
            match state.get("ending"):
                case "send":
                    return await self._completion.send(result, decision=decision)
                case "handoff":
                    return await self._completion.hand_off(result, mode=mode, decision=decision)
                case "dismiss":
                    return await self._completion.dismiss(result, decision)
                case None:
                    return await self._hold(result, decision)

    async def _hold(self, result: TurnResult, decision: Decision | None) -> CommitResult:
        """The run stopped at its interrupt: persist it, and open the review."""
        await self._turns.mark_checkpointed(result.turn_id)
        checkpoint_id = await self.checkpoints.persist(result.turn_id)
        committed = await self._completion.hold(replace(result, checkpoint_id=checkpoint_id), decision)
        if committed in (CommitResult.DROPPED, CommitResult.RESTART):
            await self._delete_checkpoints((result.turn_id,))
        return committed

    async def _delete_checkpoints(self, turn_ids: tuple[str, ...]) -> None:
        if turn_ids:
            await self.checkpoints.delete(turn_ids)
            await self._turns.unmark_checkpointed(turn_ids)


def _turn_input(work: TurnWork) -> TurnInput:
    return TurnInput(
        workspace_id=work.workspace_id,
        conversation_id=work.conversation_id,
        turn_id=work.turn_id,
        channel=work.channel,
        question=work.question,
        history=tuple(Line(author=message.author, text=message.text) for message in work.history),
        summary=work.summary,
        bot_turns=work.bot_turns,
        settings=work.settings,
        place_mode=work.place_mode,
        unread_files=work.unread_files,
    )


def _result_of(work: TurnWork, state: State) -> TurnResult:
    verdict = state.get("verdict")
    return work.result(
        state["draft"],
        state.get("triage", Triage()),
        version=state.get("version", 1),
        held_because=verdict.held_because if verdict else (),
    )
