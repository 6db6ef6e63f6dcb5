"""The knowledge as HTML: documents, what was loaded and refused, and what a customer would get."""

from collections.abc import Sequence

from storage.records import (
    Chunk,
    ChunkKind,
    Document,
    DocumentStatus,
    Draft,
    Hit,
    Route,
    Triage,
    Verdict,
)
from workbench.ui.html import (
    chip,
    empty_state,
    esc,
    markdown,
    plain_reason,
    source_details,
    table,
)
from workbench.ui.labels import confidence_label

DOCUMENT_STATUS_CHIPS = {
    DocumentStatus.LOADING: ("Loading …", "accent"),
    DocumentStatus.READY: ("Ready", "ok"),
    DocumentStatus.FAILED: ("Failed", "danger"),
}
KB = 1024
REFUSED_SHOWN = 100
ROUTE_LABELS = {
    Route.SEND: ("The bot would answer alone.", "ok"),
    Route.REVIEW: ("A person would look at this draft first.", "warn"),
    Route.HANDOFF: ("A person would answer by hand.", "accent"),
}


def size_words(size: int) -> str:
    """Bytes as people read them."""
    if size < KB:
        return f"{size} B"
    return f"{size / KB:.0f} KB" if size < KB * KB else f"{size / KB / KB:.1f} MB"


def documents_html(documents: Sequence[Document], selected: str, *, may_load: bool) -> str:
    """The list of documents; each opens by a button."""
    if not documents:
        advice = (
            "Load a FAQ (CSV, TSV, JSON, JSONL) or a help page (Markdown, text) above: the bot answers from it."
            if may_load
            else "Ask an admin to load a FAQ or a help page: the bot answers from it."
        )
        return empty_state("The bot knows nothing yet", advice)
    heads = ("Document", "Status", "Entries", "Refused", "Size")
    return table(heads, [_document_row(document, document.id == selected) for document in documents])


def _status(document: Document) -> str:
    words, tone = DOCUMENT_STATUS_CHIPS[document.status]
    if document.status is DocumentStatus.LOADING and document.progress:
        words = f"Loading, {document.progress} %"
    return chip(words, tone, title=document.error or "")


def _document_row(document: Document, current: bool) -> tuple[str, ...]:
    mark = ' aria-current="true"' if current else ""
    refused = chip(str(len(document.refused)), "warn") if document.refused else "0"
    return (
        f'<button type="button" class="dh-link" data-doc="{esc(document.id)}"{mark}>{esc(document.filename)}</button>',
        _status(document),
        str(document.entries),
        refused,
        size_words(document.size),
    )


def document_html(document: Document, chunks: Sequence[Chunk]) -> str:
    """One document: its state, the refused rows with their reasons, and what was loaded."""
    error = f'<p class="dh-alert">{esc(document.error)}</p>' if document.error else ""
    return (
        f'<div class="dh-box"><h3>{esc(document.filename)} {_status(document)}</h3>'
        f'<p class="dh-muted">{document.entries} entries loaded, {len(document.refused)} rows refused, '
        f"{size_words(document.size)}</p>{error}{_refused(document)}{_chunks(document, chunks)}</div>"
    )


def _refused(document: Document) -> str:
    if not document.refused:
        return ""
    rows = [(str(refused.row), esc(refused.reason)) for refused in document.refused[:REFUSED_SHOWN]]
    more = len(document.refused) - len(rows)
    note = f'<p class="dh-muted">and {more} more</p>' if more > 0 else ""
    return f'<p class="dh-section">Refused rows</p>{table(("Row", "Reason"), rows)}{note}'


def _chunks(document: Document, chunks: Sequence[Chunk]) -> str:
    if document.status is DocumentStatus.LOADING:
        meter = f'<div class="dh-meter"><i style="width: {document.progress}%"></i></div>'
        return (
            f'{meter}<p class="dh-muted">It is being read and made searchable. This page keeps itself up to date.</p>'
        )
    items = "".join(_chunk(chunk) for chunk in chunks)
    more = document.entries - len(chunks)
    note = f'<p class="dh-muted">and {more} more entries</p>' if more > 0 else ""
    return items + note


def _chunk(chunk: Chunk) -> str:
    kind = "FAQ" if chunk.kind is ChunkKind.FAQ else "Passage"
    others = (
        f'<p class="dh-muted">Also asked as: {esc(" · ".join(chunk.alternatives))}</p>' if chunk.alternatives else ""
    )
    tags = "".join(chip(tag) for tag in chunk.tags)
    return source_details(chunk.title, f'{markdown(chunk.text)}{others}<p class="dh-chips">{chip(kind)}{tags}</p>')


def answer_html(draft: Draft, verdict: Verdict, triage: Triage, hits: Sequence[Hit]) -> str:
    """What a customer who asks this would get, and what was found for it."""
    words, tone = ROUTE_LABELS[verdict.route]
    sure, sure_tone = confidence_label(draft)
    reasons = "".join(f"<li>{esc(plain_reason(reason))}</li>" for reason in verdict.held_because)
    reply = markdown(draft.text) if draft.text else '<p class="dh-muted">There is no reply to propose.</p>'
    found = "".join(map(_hit, hits)) or empty_state("Nothing was found", "Load a document that answers this question.")
    return (
        f'<div class="dh-box"><div class="dh-chips">{chip(words, tone)}'
        f"{chip(f'{sure}: {draft.confidence:.0%}', sure_tone)}"
        f"{chip(triage.intent)}{chip(f'{triage.priority} priority')}"
        f'</div>{f"<ul>{reasons}</ul>" if reasons else ""}<div class="dh-body">{reply}</div>'
        f'<p class="dh-section">Found in the knowledge</p>{found}</div>'
    )


def _hit(hit: Hit) -> str:
    scores = f"score {hit.score:.2f} · meaning {hit.dense:.2f} · words {hit.keyword:.1f}"
    return (
        f'<div class="dh-hit"><header><span>{esc(hit.chunk.title)}</span>'
        f'<span class="dh-muted">{scores}</span></header><div class="dh-body">{markdown(hit.chunk.text)}</div></div>'
    )
