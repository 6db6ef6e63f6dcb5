"""What the simulated model says: computed from the prompt by keywords and quotation, so that tests make sense."""

import re
from collections.abc import Mapping
from typing import Any

from tests.simulators.openai.call import Call

INTENTS: Mapping[str, str] = {
    "refund": r"refund|money back|reimburse",
    "complaint": r"terrible|unacceptable|angry|worst|complain|disappointed|ridiculous",
    "billing": r"invoice|bill|charge|payment|price|plan|subscription",
    "account": r"password|log ?in|sign in|account|two-factor|profile",
    "technical": r"error|crash|bug|broken|not work|fails|sync|install",
}
SMALL_TALK = re.compile(
    r"^\W*(hi|hello|hey|thanks|thank you|bye|goodbye|good morning)\b[\w\s]{0,12}\W*$", re.IGNORECASE
)
HELLO = re.compile(r"^\W*(hi|hello|hey|good morning)\b", re.IGNORECASE)
QUESTION = re.compile(r"\?|^(how|what|where|when|why|who|can|do|does|is|are)\b", re.IGNORECASE)
URGENT = re.compile(r"urgent|asap|immediately|right now|production is down|locked out", re.IGNORECASE)
PERSON = re.compile(r"\b(human|person|agent|someone|representative)\b", re.IGNORECASE)
GERMAN = re.compile(r"\b(ich|nicht|wie|das|ist|kann|mein|meine|bitte)\b", re.IGNORECASE)
FRENCH = re.compile(r"\b(je|est|comment|mon|pas|puis|bonjour|merci)\b", re.IGNORECASE)
POINTS_BACK = re.compile(r"\b(it|that|this|them|those)\b", re.IGNORECASE)
STOP_WORDS = re.compile(
    r"a|an|and|are|as|at|be|but|by|can|could|do|does|for|from|have|hello|hi|how|i|if|in|is|it|my|not|of|on|or|our|"
    r"please|so|that|the|their|them|there|this|to|was|we|what|when|where|which|who|why|will|with|would|you|your"
)
PASSAGE = re.compile(r"^Passage (P\d+):$", re.MULTILINE)
CUSTOMER = "The customer's new message:"


def answer(call: Call) -> dict[str, Any]:
    """A good answer: by the schema's fields a triage, a draft, a summary, or else a filled-in form."""
    fields = call.schema.get("properties", {})
    if "standalone_question" in fields:
        return _triage(call)
    if "can_answer" in fields:
        return _draft(call)
    if "summary" in fields:
        return _summary(call)
    return {name: filled(form, call.schema) for name, form in fields.items()}


def filled(form: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """The smallest value that this JSON schema allows."""
    if "$ref" in form:
        return filled(root["$defs"][form["$ref"].rpartition("/")[2]], root)
    if form.get("type") == "object":
        return {name: filled(inner, root) for name, inner in form.get("properties", {}).items()}
    if "enum" in form:
        return form["enum"][0]
    simple = {"integer": form.get("minimum", 0), "number": form.get("minimum", 0), "boolean": True, "array": []}
    return simple.get(form.get("type", ""), form.get("const", "text"))


def _triage(call: Call) -> dict[str, Any]:
    question = call.fenced_after(CUSTOMER)
    intent = _intent(question)
    offered = call.schema["properties"]["intent"]
    allowed = offered.get("enum", [offered.get("const")])
    return {
        "intent": intent if intent in allowed else allowed[-1],
        "priority": "high" if URGENT.search(question) else "medium" if QUESTION.search(question) else "low",
        "sentiment": "negative" if intent == "complaint" else "neutral",
        "language": "de" if GERMAN.search(question) else "fr" if FRENCH.search(question) else "en",
        "wants_human": bool(PERSON.search(question)),
        "standalone_question": "" if SMALL_TALK.match(question) else _standalone(question, call),
    }


def _intent(question: str) -> str:
    if SMALL_TALK.match(question):
        return "greeting" if HELLO.match(question) else "other"
    for intent, words in INTENTS.items():
        if re.search(words, question, re.IGNORECASE):
            return intent
    return "question" if QUESTION.search(question) else "other"


def _standalone(question: str, call: Call) -> str:
    said = re.findall(r"^customer: (.*)$", call.fenced_after("The last messages, oldest first:"), re.MULTILINE)
    return f"{question} ({said[-1]})" if said and POINTS_BACK.search(question) else question


def _draft(call: Call) -> dict[str, Any]:
    """Quotes the passage that shares most words with the question: its first sentence, on a redraft all of it."""
    label, passage = _best_passage(call)
    if not label:
        return {"can_answer": False, "sentences": [], "follow_ups": []}
    text = passage.partition("\n")[2] or passage
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    rejected = call.fenced_after("A reviewer of our team rejected this draft; write a different one:")
    said = sentences if rejected or len(sentences) == 1 else sentences[:1]
    others = [title for other, title in _titles(call).items() if other != label]
    return {
        "can_answer": True,
        "sentences": [{"text": sentence, "passages": [label]} for sentence in said],
        "follow_ups": [title for title in others if title.endswith("?")][:2],
    }


def _best_passage(call: Call) -> tuple[str, str]:
    question = call.fenced_after("The question, readable by itself:") or call.fenced_after(CUSTOMER)
    asked = _words(question)
    best, most = ("", ""), 0
    for label in PASSAGE.findall(call.prompt):
        passage = call.fenced_after(f"Passage {label}:")
        shared = len(asked & _words(passage))
        if shared > most:
            best, most = (label, passage), shared
    return best


def _titles(call: Call) -> dict[str, str]:
    labels = PASSAGE.findall(call.prompt)
    return {label: call.fenced_after(f"Passage {label}:").partition("\n")[0] for label in labels}


def _words(text: str) -> set[str]:
    """Stems so that `invoices` finds `invoice`."""
    return {word[:5] for word in re.findall(r"\w+", text.lower()) if not STOP_WORDS.fullmatch(word)}


def _summary(call: Call) -> dict[str, Any]:
    before = call.fenced_after("The summary so far:")
    said = re.findall(r"^customer: (.*)$", call.fenced_after("The new messages, oldest first:"), re.MULTILINE)
    return {"summary": " ".join(filter(None, [before, *said]))[-600:]}
