"""One source of settings: config.yaml, the typed model and the environment say the same."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from docs.tools.settings_page import DOC, document
from storage.errors import SettingsError
from storage.settings import USUAL_NAMES, Settings, load_settings

CONFIG = Path(__file__).parents[3] / "config.yaml"
SECRETS = set(USUAL_NAMES.values()) - {("database", "url")}


def test_config_yaml_holds_every_key_with_its_default_and_no_other() -> None:
    assert flat(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))) == flat(defaults())


def test_every_key_in_config_yaml_has_a_comment_above_it_or_its_section() -> None:
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.endswith(":") and not line.startswith((" ", "#")):
            around = lines[max(0, number - 3) : number] + lines[number + 1 : number + 3]
            assert any(item.strip().startswith("#") for item in around), line


def test_the_docs_list_every_key_of_config_yaml() -> None:
    assert DOC.read_text(encoding="utf-8") == document(), "run `python -m docs.tools.settings_page`"


def defaults() -> dict[str, Any]:
    values = Settings().model_dump(mode="json")
    for section, key in SECRETS:
        del values[section][key]
    return values


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        inner = flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
        found.update(inner)
    return found


def test_no_secret_stands_in_config_yaml() -> None:
    keys = flat(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
    assert not [".".join(secret) for secret in SECRETS if ".".join(secret) in keys]


def test_an_absent_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={}) == Settings()


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "web: {port: 8000}\nautopilot: {mode: draft}\n")
    settings = load_settings(path, {"DESKHAND_WEB__PORT": "9000", "DESKHAND_AUTOPILOT__HOLD_INTENTS": "[refund]"})
    assert settings.web.port == 9000
    assert settings.autopilot.mode == "draft"
    assert settings.autopilot.hold_intents == ("refund",)


def test_secrets_come_by_their_usual_names_and_are_never_shown() -> None:
    settings = load_settings(environ={"OPENAI_API_KEY": "sk-secret", "DATABASE_URL": "postgresql://host/name"})
    assert settings.model.api_key.get_secret_value() == "sk-secret"
    assert settings.database_url == "postgresql+psycopg://host/name"
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "environ", "words"),
    [
        ("web: {portt: 1}", {}, "unknown setting `web.portt`; did you mean `web.port`?"),
        ("", {"DESKHAND_WEB__PORT": "many"}, "setting `web.port`: input should be a valid integer"),
        ("", {"DESKHAND_WEBB__PORT": "1"}, "unknown setting `webb`"),
        ("web: {port: 99999}", {}, "setting `web.port`: input should be less than or equal to 65535"),
        ("autopilot: {mode: full}", {}, "setting `autopilot.mode`"),
        ("database: {url: mysql://x}", {}, "database.url: use postgresql://"),
        ("- a\n- b", {}, "expected sections"),
        ("web: {port: [", {}, "cannot be read"),
        ("web: 7860", {}, "setting `web`"),
    ],
)
def test_a_broken_key_is_named_with_what_to_do(tmp_path: Path, text: str, environ: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(written(tmp_path, text), environ)
    assert words in error.value.detail
    assert "\n" not in error.value.detail


def test_a_bad_secret_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(written(tmp_path, "slack: {bot_tokn: xoxb-secret}"), {})
    assert "xoxb-secret" not in error.value.detail


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such configuration file"):
        load_settings(tmp_path / "nowhere.yaml", {})


def test_every_section_is_frozen_and_refuses_unknown_keys() -> None:
    for info in Settings.model_fields.values():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            assert info.annotation.model_config.get("extra") == "forbid"
            assert info.annotation.model_config.get("frozen") is True


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path
