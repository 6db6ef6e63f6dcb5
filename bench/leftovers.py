"""What finished turns leave in the checkpoint store."""

import asyncio
import itertools
from collections.abc import Iterator

import aiosqlite
import psycopg
from sqlalchemy import make_url

from bench.laboratory import Laboratory, add_workspace
from bench.questions import questions
from bench.sizes import Sizes
from storage.records import Decision, DecisionKind, Member, Mode, Role
from storage.settings import Settings

SENT, REVIEWED = "sent", "reviewed"
AT_ONCE = 32
REVIEWED_SHARE = 5
"""Every fifth turn waits for a person."""
KINDS = (DecisionKind.EDIT, DecisionKind.APPROVE, DecisionKind.REJECT, DecisionKind.DISMISS, DecisionKind.ESCALATE)
TABLES = ("checkpoints", "writes", "checkpoint_blobs", "checkpoint_writes")


async def leftovers(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`checkpoint_rows` after so many turns: most were sent at once, every fifth was reviewed, in all ways."""
    store = laboratory.store
    for workspace_id in (SENT, REVIEWED):
        await add_workspace(store, workspace_id)
    reviewer = await store.accounts.members.add(
        REVIEWED, "admin@bench.example", "Ada", Role.ADMIN, "a long enough password"
    )
    await store.accounts.workspaces.change_settings(reviewer, mode=Mode.DRAFT)
    texts = questions(seed=6)
    numbers = iter(range(sizes.finished_turns))
    await asyncio.gather(*(_keep_asking(laboratory, reviewer, texts, numbers) for _ in range(AT_ONCE)))
    await laboratory.customers.settle()
    return {"checkpoint_rows": await checkpoint_rows(laboratory.process.settings)}


async def _keep_asking(laboratory: Laboratory, reviewer: Member, texts: Iterator[str], numbers: Iterator[int]) -> None:
    for number in numbers:
        if number % REVIEWED_SHARE:
            customer = await laboratory.customers.arrive(SENT)
            await customer.ask(next(texts))
        else:
            kind = KINDS[number // REVIEWED_SHARE % len(KINDS)]
            await _reviewed(laboratory, reviewer, next(texts), kind)


async def _reviewed(laboratory: Laboratory, reviewer: Member, text: str, kind: DecisionKind) -> None:
    customer = await laboratory.customers.arrive(REVIEWED)
    await customer.write(text)
    for version in itertools.count(1):
        review_id = await _pending(laboratory, customer.conversation_id, version)
        # A rejected draft is drafted once more, perhaps with nothing in it: the person writes that one.
        again = DecisionKind.EDIT if version > 1 else kind
        decision = Decision(kind=again, text="As a person would say it.", guidance="Be brief.")
        await laboratory.process.desk.decide(reviewer, review_id, decision, based_on=version)
        if again is not DecisionKind.REJECT:
            return


async def _pending(laboratory: Laboratory, conversation_id: str, version: int) -> str:
    """The review of this version as soon as it waits."""
    with laboratory.store.cluster.events.listen(conversation_id) as news:
        while True:
            review = await laboratory.store.conversations.reviews.of_conversation(REVIEWED, conversation_id)
            if review is not None and review.version == version:
                return review.id
            await asyncio.wait_for(news.wait(), 60)
            news.clear()


async def checkpoint_rows(settings: Settings) -> int:
    """Rows in every table of the checkpoint store."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        async with aiosqlite.connect(settings.data_dir / "checkpoints.db") as connection:
            found = await connection.execute_fetchall("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {str(row[0]) for row in found}
            counts = [
                await connection.execute_fetchall(f"SELECT count(*) FROM {name}")  # noqa: S608 - our own names
                for name in TABLES
                if name in names
            ]
            return sum(int(next(iter(rows))[0]) for rows in counts)
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo) as server:
        return sum(_count(server, name) for name in TABLES)


def _count(server: psycopg.Connection[tuple[object, ...]], name: str) -> int:
    known = server.execute("SELECT to_regclass(%s)", (name,)).fetchone()
    if known is None or known[0] is None:
        return 0
    row = server.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608 - our own names
    return int(str(row[0])) if row else 0
