"""Fixtures of the workbench's stories: one desk and one browser per module, one workspace per test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.support.browser import FLAGS, chromium
from tests.support.workbench_story import Served, Story, serve


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The desk that the stories of a module share."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        async with serve(tmp_path_factory.mktemp("workbench"), browser) as served:
            yield served
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def story(served: Served) -> AsyncIterator[Story]:
    """A fresh workspace; a browser's complaint fails the test."""
    story = await served.story()
    yield story
    await story.close()
