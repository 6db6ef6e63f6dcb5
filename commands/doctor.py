"""`deskhand doctor`: a health check of the settings and of every connection."""

import typer

from bot.extras import missing_extra
from commands.console import console, run, settings_or_exit
from graph.llm.metrics import ModelMetrics
from graph.llm.opening import open_chat_model
from storage.errors import DeskhandError
from storage.operations.doctor import CheckResult, run_checks
from storage.settings import Settings


def doctor() -> None:
    """Check every setting and connection, and say what is missing."""
    settings = settings_or_exit()
    findings = run(_findings_of(settings))
    for finding in findings:
        colour, word = ("green", "ok ") if finding.good else ("red", "NO ")
        console.print(f"[{colour}]{word}[/] {finding.name}: {finding.detail}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


async def _findings_of(settings: Settings) -> list[CheckResult]:
    findings = [CheckResult("settings", good=True, detail="every key is known and valid"), *await run_checks(settings)]
    findings.append(await _model_finding(settings))
    return findings + [token_finding(name, tokens) for name, tokens in token_groups(settings).items()]


async def _model_finding(settings: Settings) -> CheckResult:
    async with open_chat_model(settings, ModelMetrics()) as model:
        if model is None:
            return CheckResult("chat model", good=True, detail="none set: answers come verbatim from the knowledge")
        try:
            await model.check()
        except DeskhandError as error:
            return CheckResult(
                "chat model", good=False, detail=f"{error.detail} Check model.base_url, model.name and OPENAI_API_KEY."
            )
        return CheckResult("chat model", good=True, detail=f"{model.name} answers")


def token_groups(settings: Settings) -> dict[str, dict[str, bool]]:
    """Per chat platform, which of its tokens are set."""
    slack = settings.slack
    return {
        "slack": {
            "SLACK_BOT_TOKEN (or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET)": bool(
                slack.bot_token.get_secret_value() or slack.client_secret.get_secret_value()
            ),
            "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET": bool(
                slack.app_token.get_secret_value() or slack.signing_secret.get_secret_value()
            ),
        },
        "discord": {"DISCORD_BOT_TOKEN": bool(settings.discord.bot_token.get_secret_value())},
    }


def token_finding(name: str, tokens: dict[str, bool]) -> CheckResult:
    """Whether a chat platform is off, or has all its tokens and its library."""
    missing = [token for token, is_set in tokens.items() if not is_set]
    if len(missing) == len(tokens):
        return CheckResult(name, good=True, detail=f"off; set {' and '.join(missing)} to switch it on")
    if missing:
        return CheckResult(name, good=False, detail=f"{' and '.join(missing)} must be set as well")
    if reason := missing_extra(name):
        return CheckResult(name, good=False, detail=reason)
    return CheckResult(name, good=True, detail="tokens are set")
