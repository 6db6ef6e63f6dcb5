"""Whether a message takes longer in a long conversation, or with much knowledge."""

from statistics import median

from bench.laboratory import WORKSPACE, Laboratory, add_workspace
from bench.questions import filler, questions
from bench.sizes import Sizes
from storage.knowledge.documents.catalogue import Catalogue
from storage.knowledge.documents.parsed import ParsedFile
from storage.knowledge.search import Knowledge
from tests.support.rows import database_of
from tests.support.word_vectors import WordEmbedder

FEW, MANY = "few", "many"


async def growth_turn(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`growth_turn_400`: first turns of new conversations alternate with turns of one that has 400 behind it."""
    texts = questions(seed=4)
    old = await laboratory.customers.arrive(WORKSPACE)
    for _ in range(sizes.turns):
        await old.ask(next(texts))
    firsts: list[float] = []
    lates: list[float] = []
    for _ in range(sizes.growth_messages):
        await laboratory.customers.settle()
        new = await laboratory.customers.arrive(WORKSPACE)
        firsts.append(await new.ask(next(texts)))
        await laboratory.customers.settle()
        lates.append(await old.ask(next(texts)))
    await laboratory.customers.settle()
    return {"growth_turn_400": median(lates) / median(firsts)}


async def growth_chunks(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`growth_100k_chunks`: messages to a workspace with 1,000 chunks alternate with messages to one with 100,000."""
    for workspace_id, count in ((FEW, sizes.few_chunks), (MANY, sizes.many_chunks)):
        await _fill(laboratory, workspace_id, count)
    texts = questions(seed=5)
    seconds: dict[str, list[float]] = {FEW: [], MANY: []}
    for number in range(sizes.warm_up + sizes.growth_messages):
        for workspace_id, taken in seconds.items():
            customer = await laboratory.customers.arrive(workspace_id)
            turn = await customer.ask(next(texts))
            await laboratory.customers.settle()
            if number >= sizes.warm_up:
                taken.append(turn)
    return {"growth_100k_chunks": median(seconds[MANY]) / median(seconds[FEW])}


async def _fill(laboratory: Laboratory, workspace_id: str, count: int) -> None:
    """The demo's FAQ as it is, and made-up entries with word vectors until there are so many chunks."""
    store = laboratory.store
    await add_workspace(store, workspace_id)
    (faq,) = await store.knowledge.catalogue.list(workspace_id)
    cheap = Knowledge(database_of(store), WordEmbedder(laboratory.embedder.model), laboratory.vectors)
    loaded = ParsedFile(tuple(filler(count - faq.entries)))
    await Catalogue(database_of(store), cheap).store(workspace_id, "filler", loaded)
    await store.knowledge.index.refresh(workspace_id)
