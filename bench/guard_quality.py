"""How well the guard and the embedded triage do on open data: `python -m bench.guard_quality --data DIR`.

Prints rates only; no text of the data sets enters the project.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from graph.guard.injection import BLOCK_SCORE, has_planted_instructions, injection_score
from graph.guard.masking import mask
from graph.triage.classifier import Classifier
from graph.triage.embedded import intent_of, wants_human
from graph.triage.examples import load_examples
from storage.embeddings.opening import load_embedder
from storage.settings import Settings

Row = dict[str, Any]
T = TypeVar("T")
COVERED = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "US_SSN": "SSN",
}
CUSTOMERS = ("bitext_support/queries.jsonl", "clinc150/queries.jsonl", "hint3_sofmattress/queries.jsonl",
             "stackfaq/queries.jsonl", "natcs_insurance/queries.jsonl")  # fmt: skip
MOST = 1500
"""Texts per set of ordinary customers, evenly spaced: embedding all would take minutes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data: Path = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        classifier = Classifier(load_embedder(Settings(data_dir=Path(folder))), load_examples())
        started = time.perf_counter()
        classifier.warm()
        print(f"classifier fitted in {time.perf_counter() - started:.1f} s\n")
        masking(read(data, "pii_presidio/texts.jsonl"))
        injection(data, classifier)
        handoff(data, classifier)
        intents(data, classifier)


def read(data: Path, name: str) -> list[Row]:
    path = data / name
    if not path.is_file():
        print(f"{name}: not there, skipped")
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def masking(rows: list[Row]) -> None:
    """Recall: the whole value is gone. False: a masked value that overlaps no labelled span of a covered type."""
    found: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for row in rows:
        masked = mask(row["text"])
        spans = [span for span in row["spans"] if span["type"] in COVERED]
        for span in spans:
            labelled[span["type"]] += 1
            found[span["type"]] += any(span["value"] in original for original in masked.originals.values())
        for placeholder, original in masked.originals.items():
            if not any(span["value"] in original or original in span["value"] for span in spans):
                false[placeholder.strip("[]").rpartition("_")[0]] += 1
    print("masking: recall by type")
    for kind, number in sorted(labelled.items()):
        print(f"  {kind:16} {found[kind]:4} of {number:4}  {found[kind] / number:6.1%}")
    print(f"  false in {len(rows)} texts: {dict(false) or 'none'}\n")


def injection(data: Path, classifier: Classifier) -> None:
    print("injection: share held")
    for name, key in (("guard_mixed/injecguard_valid.jsonl", "source"), ("guard_xstest/prompts.jsonl", "label")):
        rows = read(data, name)
        groups = sorted({(row["label"], row[key]) for row in rows})
        for label, group in groups:
            texts = [row["text"] for row in rows if (row["label"], row[key]) == (label, group)]
            print(f"  {label:8} {group:32} {share(texts, lambda text: is_held(text, classifier))}")
    for name in CUSTOMERS:
        texts = [row["query"] for row in read(data, name)]
        print(f"  customers {name:31} {share(thinned(texts), lambda text: is_held(text, classifier))}")
    rows = read(data, "guard_attacks/bipia_indirect_text.jsonl")
    print("planted in a passage: share seen")
    for category in sorted({row["category"] for row in rows}):
        texts = [
            f"We are open from nine to five. {r['text']} Bring your receipt." for r in rows if r["category"] == category
        ]
        print(f"  {category:32} {share(texts, has_planted_instructions)}")
    passages = [row["text"] for row in read(data, "mtrag_un/passages.jsonl")]
    print(f"  ordinary passages                {share(passages, has_planted_instructions)}\n")


def is_held(text: str, classifier: Classifier) -> bool:
    return injection_score(text, classifier.scores(mask(text).text).injection).score >= BLOCK_SCORE


def handoff(data: Path, classifier: Classifier) -> None:
    print("wants_human: precision, recall")
    rows = [(row["query"], bool(row["handoff"])) for row in read(data, "nlupp_handoff/messages.jsonl")]
    precision_and_recall("nlupp_handoff", rows, classifier)
    routing = read(data, "bitext_support/routing.jsonl")
    plain = [row for row in routing if row["intent"] != "contact_customer_service"]
    wishes = thinned([(row["query"], bool(row["handoff"])) for row in plain])
    precision_and_recall("bitext_support", wishes, classifier)
    for name in ("clinc150/queries.jsonl", "hint3_sofmattress/queries.jsonl", "stackfaq/queries.jsonl"):
        texts = thinned([row["query"] for row in read(data, name)])
        taken = share(texts, lambda text: wants_human(text, classifier.scores(text)))
        print(f"  others    {name:31} {taken}")
    print()


def precision_and_recall(name: str, rows: list[tuple[str, bool]], classifier: Classifier) -> None:
    counts = Counter((truth, wants_human(text, classifier.scores(text))) for text, truth in rows)
    hits, missed, false = counts[True, True], counts[True, False], counts[False, True]
    precision, recall = hits / max(1, hits + false), hits / max(1, hits + missed)
    print(f"  {name:16} P {precision:.3f}  R {recall:.3f}  ({hits + missed} wishes)")


def intents(data: Path, classifier: Classifier) -> None:
    print("intent by the data's own label (bitext_support)")
    rows = read(data, "bitext_support/routing.jsonl")
    for label in (
        "get_refund",
        "track_refund",
        "check_refund_policy",
        "complaint",
        "payment_issue",
        "recover_password",
    ):
        texts = [row["query"] for row in rows if row["intent"] == label]
        chosen = Counter(intent_of(text, classifier.scores(text)) for text in texts)
        print(f"  {label:22} " + ", ".join(f"{intent} {n / len(texts):.0%}" for intent, n in chosen.most_common(3)))
    others = thinned([row["query"] for row in rows if row["category"] not in {"REFUND", "FEEDBACK"}])
    risky = share(others, lambda text: intent_of(text, classifier.scores(text)) in {"refund", "complaint"})
    print(f"  others taken for refund or complaint: {risky}")


def thinned(rows: list[T]) -> list[T]:
    return rows[:: max(1, len(rows) // MOST)]


def share(texts: Iterable[str], holds: Callable[[str], bool]) -> str:
    answers = [holds(text) for text in texts]
    return f"{sum(answers):5} of {len(answers):5}  {sum(answers) / max(1, len(answers)):7.2%}"


if __name__ == "__main__":
    main()
