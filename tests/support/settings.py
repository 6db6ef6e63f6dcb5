"""Settings for a desk of a test's own."""

from pathlib import Path
from typing import Any

from storage.settings import Settings


def settings_for(folder: Path, database_url: str = "", **sections: dict[str, Any]) -> Settings:
    """The defaults in this folder, without the gathering pause and rate limits."""
    values: dict[str, Any] = {
        "data_dir": folder / "data",
        "database": {"url": database_url},
        "conversation": {"gather_seconds": 0, "busy_seconds": 0},
        "limits": {"customer_per_minute": 0, "customer_per_hour": 0, "workspace_per_minute": 0},
        "access": {"registration": "open"},
        "jobs": {"retry_seconds": 0.05},
        "web": {"messages_per_minute": 0, "conversations_per_minute": 0},
    }
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return Settings.model_validate(values)
