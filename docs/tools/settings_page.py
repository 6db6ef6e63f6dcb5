"""Writes docs/settings.md from config.yaml: `python -m docs.tools.settings_page`."""

import re
from collections.abc import Iterator
from pathlib import Path

from storage.settings import PREFIX, USUAL_NAMES

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "settings.md"
HEAD = """# Settings

Every key of `config.yaml` with its default. Each can be overridden by the environment variable beside it; secrets
come from the environment only. Made from `config.yaml` by `python -m docs.tools.settings_page`; a test
holds both together.

| key | default | environment | meaning |
| --- | --- | --- | --- |
"""
SECRETS = """
## Secrets and usual names

| environment | stands for |
| --- | --- |
"""
KEY = re.compile(r"^(?P<indent> *)(?P<name>[a-z_]+):(?: (?P<default>.+))?$")


def document() -> str:
    """The page as config.yaml has it now."""
    secrets = "\n".join(f"| `{name}` | {'.'.join(key)} |" for name, key in USUAL_NAMES.items())
    return f"{HEAD}{''.join(rows())}{SECRETS}{secrets}\n"


def rows() -> Iterator[str]:
    """One table row per key; its comment lines stand right above it."""
    section, comment = "", list[str]()
    for line in (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines():
        found = KEY.match(line)
        if line.strip().startswith("#"):
            comment.append(line.strip().removeprefix("#").strip())
        elif found and found["default"] is None:
            section, comment = f"{found['name']}.", []
        elif found:
            yield row(section if found["indent"] else "", found["name"], found["default"], " ".join(comment))
            comment = []
        else:
            comment = []


def row(section: str, name: str, default: str, comment: str) -> str:
    """The row of one key."""
    key = f"{section}{name}"
    variable = PREFIX + key.upper().replace(".", "__")
    meaning = comment.replace("|", "\\|")
    return f"| `{key}` | `{default}` | `{variable}` | {meaning} |\n"


if __name__ == "__main__":
    DOC.write_text(document(), encoding="utf-8")
