import pytest

from graph.triage.classifier import Classifier
from graph.triage.embedded import available_intent, embedded_triage
from storage.records import Author, Line, Priority, Sentiment, Triage, WorkspaceSettings

HISTORY = (
    Line(author=Author.CUSTOMER, text="What does the pro plan cost per month?"),
    Line(author=Author.BOT, text="It costs 20 euros per month."),
)


pytest_plugins = ["tests.support.model_fixtures"]


async def triaged(text: str, classifier: Classifier, history: tuple[Line, ...] = ()) -> Triage:
    return await embedded_triage(text, history, WorkspaceSettings(), classifier)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hi there", "greeting"),
        ("thanks, bye!", "other"),
        ("how do I reset my password?", "account"),
        ("Hi, how do I reset my password?", "account"),
        ("where is my invoice", "billing"),
        ("the export fails with error 500", "technical"),
        ("what is your refund policy", "question"),
        ("how long do refunds take", "question"),
        ("can I get a refund if I cancel early?", "question"),
        ("how do I file a complaint?", "question"),
        ("I want my money back", "refund"),
        ("refund me", "refund"),
        ("you charged me twice, give it back", "refund"),
        ("where is my refund", "refund"),
        ("this is a disgrace, third time I write", "complaint"),
        ("I am very disappointed", "complaint"),
    ],
)
async def test_intents(classifier: Classifier, text: str, intent: str) -> None:
    assert (await triaged(text, classifier)).intent == intent


@pytest.mark.parametrize(
    "text",
    ["agent pls", "can i talk to someone", "operator", "this bot is useless, get me a human", "please call me back",
     "put me through to your manager"],
)  # fmt: skip
async def test_a_wish_for_a_person_is_heard(classifier: Classifier, text: str) -> None:
    assert (await triaged(text, classifier)).wants_human


@pytest.mark.parametrize(
    "text",
    ["how do I add an agent", "is there a person limit per team", "I talked to an agent yesterday", "are you a person?",
     "what are your support hours?", "I need someone to clean the room", "how do I become a manager?",
        "am I talking to a real person?"],
)  # fmt: skip
async def test_speaking_about_people_is_no_wish_for_one(classifier: Classifier, text: str) -> None:
    assert not (await triaged(text, classifier)).wants_human


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("our whole production site is down", Priority.HIGH),
        ("my card was stolen", Priority.HIGH),
        ("my account was hacked!!", Priority.HIGH),
        ("you will hear from my lawyer", Priority.HIGH),
        ("how do I report a stolen card?", Priority.MEDIUM),
        ("the download is slow", Priority.MEDIUM),
        ("thanks!", Priority.LOW),
        ("feature request: it would be nice to have a darker theme", Priority.LOW),
    ],
)
async def test_priorities(classifier: Classifier, text: str, priority: Priority) -> None:
    assert (await triaged(text, classifier)).priority is priority


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("I love your product", Sentiment.POSITIVE),
        ("this is ridiculous", Sentiment.NEGATIVE),
        ("where is the menu?", Sentiment.NEUTRAL),
    ],
)
async def test_sentiments(classifier: Classifier, text: str, sentiment: Sentiment) -> None:
    assert (await triaged(text, classifier)).sentiment is sentiment


async def test_the_language_is_the_text_s_own_or_the_conversation_s(classifier: Classifier) -> None:
    assert (await triaged("Hola, no puedo entrar en mi cuenta", classifier)).language == "es"
    assert (await triaged("refund me", classifier)).language == "en"
    german = (Line(author=Author.CUSTOMER, text="Wie kann ich mein Passwort zurücksetzen?"),)
    assert (await triaged("ok", classifier, german)).language == "de"


@pytest.mark.parametrize("text", ["thanks", "ok great 👍", "bye", "🎉", "hello", "no thanks"])
async def test_a_message_that_asks_nothing_has_no_question(classifier: Classifier, text: str) -> None:
    assert (await triaged(text, classifier, HISTORY)).standalone_question == ""


@pytest.mark.parametrize("text", ["and for yearly?", "how much is it for two?", "what about the app", "yearly?"])
async def test_a_fragment_is_read_with_the_question_before_it(classifier: Classifier, text: str) -> None:
    question = (await triaged(text, classifier, HISTORY)).standalone_question
    assert question == f"What does the pro plan cost per month? {text}"
    assert (await triaged(text, classifier)).standalone_question == text


@pytest.mark.parametrize("text", ["How do I delete my account?", "warranty", "is it possible to pay by invoice?"])
async def test_a_question_of_its_own_stays_alone(classifier: Classifier, text: str) -> None:
    assert (await triaged(text, classifier, HISTORY)).standalone_question == text


async def test_a_chain_of_fragments_reaches_back_to_its_subject(classifier: Classifier) -> None:
    history = (*HISTORY, Line(author=Author.CUSTOMER, text="and for yearly?"), Line(author=Author.BOT, text="200."))
    question = (await triaged("is that without tax?", classifier, history)).standalone_question
    assert question == "What does the pro plan cost per month? and for yearly? is that without tax?"


async def test_what_is_taken_from_the_history_is_masked(classifier: Classifier) -> None:
    history = (Line(author=Author.CUSTOMER, text="Can you change my mail to a@b.org?"),)
    assert "a@b.org" not in (await triaged("and when?", classifier, history)).standalone_question


async def test_yes_to_a_question_is_an_answer(classifier: Classifier) -> None:
    history = (*HISTORY, Line(author=Author.AGENT, text="Do you pay by card?"))
    assert (await triaged("yes", classifier, history)).standalone_question == "yes"


def test_an_intent_that_the_workspace_lacks_is_replaced_by_the_nearest() -> None:
    assert available_intent("refund", ("billing", "question")) == "billing"
    assert available_intent("technical", ("sales", "other")) == "other"
    assert available_intent("technical", ("sales", "press")) == "press"
