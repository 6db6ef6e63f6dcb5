"""A whole desk, wired by the composition root."""

from collections.abc import AsyncIterator

import pytest

from commands.process import Process
from storage.settings import Settings
from tests.support.shared_model import open_desk

FAQ = b"""question,answer,alternatives,tags
How do I reset my password?,"Click **Forgot password** on the login page and follow the link in the e-mail.",\
I forgot my password | cant log in password lost,account
How do I export my data?,"Open **Settings > Export** and choose CSV.",download all my data | get my data out,data
What is your refund policy?,"You can return any plan within 30 days.",how do refunds work | money back rules,billing
Which browsers are supported?,"The last two versions of Chrome, Firefox, Safari and Edge.",\
does it run in firefox | browser requirements,technical
"""


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[Process]:
    """A whole desk on the embedded default with a small FAQ in the workspace `demo`."""
    async with open_desk(settings) as process:
        await process.store.accounts.workspaces.create("demo", "Demo")
        document = await process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
        await process.store.knowledge.catalogue.load_document(document.id)
        yield process
