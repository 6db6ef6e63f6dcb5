"""One desk for everybody who tries to get in."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.intruders import Scene, open_scene


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """The victim, and who tries."""
    async with open_scene(tmp_path_factory.mktemp("scene")) as scene:
        yield scene
