"""What a unit test may take without a database server, Chroma or a desk."""

from pathlib import Path

import pytest

from storage.settings import Settings
from tests.support.settings import settings_for


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults on SQLite in a folder of the test's own, without the gathering pause and rate limits."""
    return settings_for(tmp_path)
