"""Periodic tasks: what the desk does now and then by itself: tidy up, remind, catch up with summaries."""

from datetime import timedelta

from graph.desk import Desk
from graph.turn_runner import TurnRunner
from storage.conversations.summaries import Summaries
from storage.queue.jobs import Job, JobKind, Jobs
from storage.queue.periodic import HOUR, MINUTE, PeriodicTask
from storage.settings import Settings
from storage.store import Store


def periodic_tasks_of(
    settings: Settings, store: Store, desk: Desk, runner: TurnRunner, jobs: Jobs
) -> tuple[PeriodicTask, ...]:
    """Every periodic task that these settings ask for."""
    retention = store.conversations.retention
    silence = timedelta(days=settings.conversation.close_after_days)
    periodic_tasks = [
        PeriodicTask("close-silent", 10 * MINUTE, lambda: retention.close_silent(silence)),
        PeriodicTask("sweep-checkpoints", MINUTE, runner.sweep),
        PeriodicTask("forget-early-edits", HOUR, retention.forget_early_edits),
        PeriodicTask("forget-rate-limits", HOUR, retention.forget_rate_limits),
    ]
    if settings.conversation.sla_minutes:
        overdue = timedelta(minutes=settings.conversation.sla_minutes)
        periodic_tasks.append(PeriodicTask("remind-overdue", MINUTE, lambda: desk.remind_overdue(overdue)))
    if settings.model.provider != "none":
        summaries = store.conversations.summaries
        periodic_tasks.append(
            PeriodicTask("catch-up-summaries", 10 * MINUTE, lambda: catch_up(settings, summaries, jobs))
        )
    return tuple(periodic_tasks)


async def catch_up(settings: Settings, summaries: Summaries, jobs: Jobs) -> None:
    """Summarise again where the chat model was away."""
    # As long as the history of a run: up to there the run itself asks for a summary in time.
    behind = 3 * settings.conversation.history_messages
    for conversation_id in await summaries.lagging(behind):
        await jobs.enqueue(Job(JobKind.SUMMARISE, conversation_id, conversation_id))
