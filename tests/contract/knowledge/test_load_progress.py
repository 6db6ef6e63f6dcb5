"""How far a document is loaded can be read from its row."""

import pytest

from storage.knowledge.documents.progress import recorded_progress
from storage.store import Store
from tests.support.rows import database_of
from tests.support.waiting import until

FAQ = b"question,answer\nIs it free?,Yes.\nIs it safe?,Yes.\n"


async def test_a_load_tells_its_row_and_its_caller_how_far_it_is(store: Store) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    assert document.progress == 0
    told: list[tuple[int, int]] = []
    loaded = await store.knowledge.catalogue.load_document(document.id, lambda done, total: told.append((done, total)))
    assert told == [(2, 2)]
    assert loaded.progress == 100


@pytest.mark.parametrize(("every", "latest"), [(3600.0, 10), (0.0, 40)])
async def test_the_row_is_written_now_and_then_only(store: Store, every: float, latest: int) -> None:
    document = await store.knowledge.catalogue.create("demo", "faq.csv", FAQ)

    async def percent() -> int:
        return (await store.knowledge.catalogue.get("demo", document.id)).progress

    async with recorded_progress(database_of(store), document.id, every=every) as report:
        report(10, 100)
        assert await until(percent) == 10
        report(40, 100)
    assert await percent() == latest
