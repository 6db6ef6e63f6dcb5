"""A module that only computes has a unit test of its name; what needs rows, platforms or pages has its room's suite."""

from pathlib import Path

from tests.unit.architecture.tree import ROOT, imported, modules

SHORT = 40
"""Lines that speak for themselves."""
OUTSIDE = {
    *(
        "aiohttp",
        "alembic",
        "chromadb",
        "discord",
        "fastapi",
        "gradio",
        "httpx",
        "langchain_openai",
        "langgraph",
        "onnx",
    ),
    *(
        "onnxruntime",
        "openai",
        "opentelemetry",
        "procrastinate",
        "psycopg",
        "rich",
        "slack_bolt",
        "slack_sdk",
        "sqlalchemy",
    ),
    *("sqlite3", "sse_starlette", "starlette", "typer", "uvicorn"),
    *("storage.conversations", "storage.database", "storage.opening", "storage.store", "storage.turns"),
}
"""What a module imports that does more than compute."""
ELSEWHERE = {
    "bot/discord/connection/shards.py": "tests/acceptance/discord/test_connection.py",
    "bot/discord/read_cursors.py": "tests/contract/channels/test_read_cursors.py",
    "bot/discord/replies/actions.py": "tests/acceptance/discord/test_reply_buttons.py",
    "bot/slack/replies/rendering.py": "tests/unit/bot/slack/test_blocks.py",
    "bot/slack/reviews/card.py": "tests/acceptance/slack/test_stories.py",
    "bot/slack/reviews/card_messages.py": "tests/acceptance/slack/test_stories.py",
    "commands/process/job_handlers.py": "tests/contract/queue/test_jobs.py",
    "graph/errors.py": "tests/unit/workbench/api/test_problems.py",
    "graph/guard/injection_rules.py": "tests/unit/graph/guard/test_injection.py",
    "storage/cluster/events.py": "tests/contract/cluster/test_events.py",
    "storage/database/paging.py": "tests/acceptance/rest/test_conversations.py",
    "storage/database/swap.py": "tests/contract/operations/test_backup.py",
    "storage/errors.py": "tests/unit/workbench/api/test_problems.py",
    "storage/knowledge/index_cache.py": "tests/contract/knowledge/test_index_cache.py",
    "storage/operations/archive.py": "tests/contract/operations/test_backup.py",
    "storage/queue/jobs.py": "tests/contract/queue/test_jobs.py",
    "storage/reporting/report.py": "tests/acceptance/rest/test_analytics.py",
    "workbench/channels/ids.py": "tests/unit/workbench/channels/test_view.py",
    "workbench/channels/status_view.py": "tests/unit/workbench/channels/test_view.py",
    "workbench/inbox/action_panel.py": "tests/unit/workbench/inbox/test_queue.py",
    "workbench/inbox/conversation_view.py": "tests/unit/workbench/inbox/test_queue.py",
    "workbench/inbox/queue_view.py": "tests/unit/workbench/inbox/test_queue.py",
    "workbench/channels/actions.py": "tests/acceptance/workbench/test_channels.py",
}
"""Where a module is tested through what uses it, because it means nothing alone."""
DECLARES = ("graph/state.py", "storage/records/", "storage/turns/result.py")
"""Modules of fields alone, which every test uses."""


def test_what_only_computes_has_a_unit_test_of_its_name() -> None:
    untested = [str(path) for path in modules() if _computes(path) and not _has_a_test(path)]
    assert untested == []


def test_what_is_tested_elsewhere_is_there() -> None:
    assert [path for pair in ELSEWHERE.items() for path in pair if not (ROOT / path).exists()] == []


def _computes(path: Path) -> bool:
    if str(path).startswith(DECLARES) or len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= SHORT:
        return False
    return not any(name.startswith(f"{outside}.") for name in _named(path) for outside in OUTSIDE)


def _named(path: Path) -> list[str]:
    return [f"{name}." for name in imported(path)]


def _has_a_test(path: Path) -> bool:
    mirrored = ROOT / "tests" / "unit" / path.with_name(f"test_{path.name}")
    return str(path) in ELSEWHERE or mirrored.exists()
