"""Which process does what, and what several processes must share."""

import pytest

from commands.process.roles import ProcessRole, require_shared
from storage.errors import SettingsError
from storage.settings import Settings

SHARED = {
    "database": {"url": "postgresql://localhost/desk"},
    "chroma": {"url": "http://localhost:8000"},
    "web": {"secret": "long and random"},
}
MISSING = {"database": "DATABASE_URL to postgresql", "chroma": "chroma.url", "web": "DESKHAND_SECRET"}


@pytest.mark.parametrize(
    ("role", "duties"),
    [
        (ProcessRole.ALL, (True, True, True)),
        (ProcessRole.WEB, (True, False, False)),
        (ProcessRole.WORKER, (False, True, False)),
        (ProcessRole.BOT, (False, False, True)),
    ],
)
def test_each_duty_is_done_by_one_role_and_by_the_whole_desk(role: ProcessRole, duties: tuple[bool, ...]) -> None:
    assert (role.serves_pages, role.runs_graph, role.connects_platforms) == duties


def test_processes_that_share_everything_may_start() -> None:
    require_shared(Settings.model_validate(SHARED), ProcessRole.WORKER)


@pytest.mark.parametrize("section", SHARED)
def test_what_is_not_shared_is_named_alone(section: str) -> None:
    given = {name: value for name, value in SHARED.items() if name != section}
    with pytest.raises(SettingsError) as caught:
        require_shared(Settings.model_validate(given), ProcessRole.BOT)
    assert [words for words in MISSING.values() if words in str(caught.value)] == [MISSING[section]]
    assert "`deskhand bot` is one of several processes" in str(caught.value)


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        require_shared(Settings(), ProcessRole.WEB)
    assert all(words in str(caught.value) for words in MISSING.values())
