import pytest

from graph.drafting.summary import BATCH_LENGTH, MAX_SUMMARY_LENGTH, summarise
from graph.errors import ModelInvalidError, ModelUnavailableError
from graph.llm.openai import OpenAIChatModel
from graph.llm.prompts.dialogue import MAX_LINE_LENGTH
from storage.records import Author, Line
from tests.simulators.openai.behaviours import answering, status
from tests.simulators.openai.server import OpenAISimulator

pytest_plugins = ["tests.simulators.openai.fixtures"]


def customer(text: str) -> Line:
    return Line(author=Author.CUSTOMER, text=text)


async def test_older_messages_are_folded_into_the_summary(chat: OpenAIChatModel) -> None:
    lines = [customer("Sync fails with E42"), Line(author=Author.BOT, text="Which version?"), customer("Version 3")]
    assert await summarise("Uses the Team plan.", lines, chat) == "Uses the Team plan. Sync fails with E42 Version 3"


async def test_nothing_new_needs_no_request(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    assert await summarise("As before.", [], chat) == "As before."
    assert server.chats == []


async def test_no_prompt_grows_with_the_conversation(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    await summarise("", [customer(f"Message {number} {'x' * 900}") for number in range(60)], chat)
    assert len(server.chats) > 1
    assert max(len(call.text) for call in server.chats) < BATCH_LENGTH + MAX_SUMMARY_LENGTH + 4000
    sent = "".join(call.prompt for call in server.chats)
    assert all(f"customer: Message {number} " in sent for number in range(60))


async def test_each_batch_builds_on_the_summary_of_the_one_before(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    server.script(answering({"summary": "First part."}), answering({"summary": "Both parts."}))
    lines = [customer("x" * MAX_LINE_LENGTH)] * (2 * BATCH_LENGTH // MAX_LINE_LENGTH)
    assert await summarise("", lines, chat) == "Both parts."
    assert [call.fenced_after("The summary so far:") for call in server.chats] == ["", "First part."]


async def test_a_summary_that_is_too_long_is_repaired_or_rejected(
    server: OpenAISimulator, chat: OpenAIChatModel
) -> None:
    long = answering({"summary": "x" * (MAX_SUMMARY_LENGTH + 1)})
    server.script(long)
    assert await summarise("", [customer("Hello")], chat) == "Hello"
    server.default = long
    with pytest.raises(ModelInvalidError):
        await summarise("", [customer("Hello")], chat)


async def test_personal_data_never_leaves(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    await summarise("Ann, ann@customer.example", [customer("My card is 4111 1111 1111 1111")], chat)
    assert "ann@" not in server.chats[0].text
    assert "4111" not in server.chats[0].text


async def test_a_model_that_is_down_raises(server: OpenAISimulator, chat: OpenAIChatModel) -> None:
    server.default = status(503)
    with pytest.raises(ModelUnavailableError):
        await summarise("", [customer("Hello")], chat)
