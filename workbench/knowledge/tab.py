"""The knowledge tab: admins load and delete documents; everybody looks into them and searches."""

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr

from storage.errors import (
    DeskhandError,
    InvalidError,
    NotFoundError,
    TooLargeError,
)
from storage.records import DocumentStatus, Member, Role
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.knowledge.view import answer_html, document_html, documents_html
from workbench.ui.handlers import PRIVATE, reporting_errors
from workbench.ui.html import empty, esc

FORMATS = [".csv", ".tsv", ".json", ".jsonl", ".md", ".txt"]
CHUNKS_SHOWN = 100
MAX_QUESTION_LENGTH = 2000
CLICKS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-doc]');
  if (button) trigger('click', { id: button.dataset.doc });
});
"""
TITLE = (
    '<div class="dh-title"><h1>Knowledge</h1><p>What the bot answers from. A FAQ entry is kept whole; longer pages '
    "are cut into passages.</p></div>"
)
TRY_FIRST = empty(
    "Search as a customer would", "Type a question: you see the draft, what would happen, and the sources."
)
PICK_ONE = empty("Look into a document", "Pick one in the list to see its entries and the rows that were refused.")


class KnowledgeTab:
    """What the tab's events do; each finds the member by the session and stays in their workspace."""

    def __init__(self, context: WorkbenchContext, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    async def shown(self, member: Member, selected: str) -> tuple[Any, ...]:
        """(list, whether to keep looking, document, delete button, upload), for the member's role."""
        documents = await self._context.store.knowledge.catalogue.list(member.workspace_id)
        is_admin = member.role is Role.ADMIN
        loading = any(document.status is DocumentStatus.LOADING for document in documents)
        return (
            documents_html(documents, selected, may_load=is_admin),
            gr.Timer(active=loading),
            await self._document(member, selected),
            gr.Button(visible=is_admin and any(document.id == selected for document in documents)),
            gr.Group(visible=is_admin),
        )

    async def _document(self, member: Member, document_id: str) -> str:
        if not document_id:
            return PICK_ONE
        catalogue = self._context.store.knowledge.catalogue
        try:
            document = await catalogue.get(member.workspace_id, document_id)
        except NotFoundError:
            return PICK_ONE
        chunks = await catalogue.chunks(member.workspace_id, document_id, limit=CHUNKS_SHOWN)
        return document_html(document, chunks)

    async def load(self, member: Member, path: Path) -> str:
        """Keep one file and enqueue its load; gives the document's id."""
        content = await asyncio.to_thread(path.read_bytes)
        most = self._context.settings.web.max_upload_mb
        if len(content) > most * 1024 * 1024:
            raise TooLargeError(f"{path.name} is larger than {most} MB.")
        return (await self._context.desk.add_document(member, path.name, content)).id

    async def try_out(self, member: Member, question: str) -> str:
        """What a customer who asks this would get."""
        question = question.strip()
        if not question:
            raise InvalidError("Type a question first.")
        question = question[:MAX_QUESTION_LENGTH]
        settings = (await self._context.store.accounts.workspaces.read(member.workspace_id)).settings
        draft, verdict, triage = await self._context.desk.propose(member.workspace_id, question, settings)
        hits = await self._context.store.knowledge.index.search(member.workspace_id, question)
        return answer_html(draft, verdict, triage, hits)


def build_knowledge(tab: gr.Tab, context: WorkbenchContext, sessions: Sessions) -> None:
    """The components and their events."""
    page = KnowledgeTab(context, sessions)
    selected = gr.State("")
    timer = gr.Timer(1.0, active=False)
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(TITLE, apply_default_css=False)
        with gr.Row():
            with gr.Column(scale=5, min_width=340):
                with gr.Group(visible=False) as loading:
                    files = gr.File(
                        label="Load documents: CSV, TSV, JSON, JSONL, Markdown, text",
                        file_count="multiple",
                        file_types=FORMATS,
                        height=150,
                        elem_id="dh-load",
                    )
                report = gr.HTML(apply_default_css=False)
                listing = gr.HTML(js_on_load=CLICKS, apply_default_css=False, elem_id="dh-documents")
                document = gr.HTML(PICK_ONE, apply_default_css=False, elem_id="dh-document")
                delete = gr.Button("Delete this document …", visible=False, size="sm")
                with gr.Row(visible=False) as sure:
                    confirm = gr.Button("Delete for good", variant="stop", size="sm")
                    cancel = gr.Button("Keep it", size="sm")
            with gr.Column(scale=6, min_width=340):
                with gr.Row(equal_height=True):
                    question = gr.Textbox(
                        show_label=False, placeholder="Ask as a customer would", scale=4, max_lines=3, elem_id="dh-try"
                    )
                    ask = gr.Button("Search", variant="primary", scale=1, min_width=90)
                answer = gr.HTML(TRY_FIRST, apply_default_css=False, elem_id="dh-answer")
    outputs = [listing, timer, document, delete, loading]
    _looking(page, sessions, tab, timer, selected, outputs)
    _picking(page, sessions, listing, selected, [*outputs, sure])
    _loading(page, sessions, files, selected, [files, report, *outputs])
    _deleting(context, page, sessions, (delete, confirm, cancel, sure), selected, outputs)
    _trying(page, sessions, question, ask, answer)


def _looking(
    page: KnowledgeTab, sessions: Sessions, tab: gr.Tab, timer: gr.Timer, selected: gr.State, outputs: list[Any]
) -> None:
    @reporting_errors
    async def look(chosen: str, request: gr.Request) -> tuple[Any, ...]:
        return await page.shown(await sessions.member(request), chosen)

    for event in (tab.select, timer.tick):
        event(look, selected, outputs, **PRIVATE)


def _picking(page: KnowledgeTab, sessions: Sessions, listing: gr.HTML, selected: gr.State, outputs: list[Any]) -> None:
    @reporting_errors
    async def pick(picked: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.member(request)
        chosen = str(picked.id)[:64]
        return chosen, *await page.shown(member, chosen), gr.Row(visible=False)

    listing.click(pick, None, [selected, *outputs], **PRIVATE)


def _loading(page: KnowledgeTab, sessions: Sessions, files: gr.File, selected: gr.State, outputs: list[Any]) -> None:
    @reporting_errors
    async def load(paths: list[str] | None, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        newest, refused = "", []
        for path in map(Path, paths or ()):
            try:
                newest = await page.load(member, path)
            except DeskhandError as error:
                refused.append(f'<p class="dh-alert">{esc(path.name)} was not loaded: {esc(error.detail)}</p>')
        return newest, None, "".join(refused), *await page.shown(member, newest)

    files.upload(load, files, [selected, *outputs], **PRIVATE)


def _deleting(
    context: WorkbenchContext,
    page: KnowledgeTab,
    sessions: Sessions,
    buttons: tuple[Any, ...],
    selected: gr.State,
    outputs: list[Any],
) -> None:
    delete, confirm, cancel, sure = buttons

    @reporting_errors
    async def forget(chosen: str, request: gr.Request) -> tuple[Any, ...]:
        member = await sessions.admin(request)
        await context.desk.delete_document(member, chosen)
        gr.Info("Deleted: the bot does not answer from it any more.")
        return "", gr.Row(visible=False), *await page.shown(member, "")

    delete.click(lambda: gr.Row(visible=True), None, sure, **PRIVATE)
    cancel.click(lambda: gr.Row(visible=False), None, sure, **PRIVATE)
    confirm.click(forget, selected, [selected, sure, *outputs], **PRIVATE)


def _trying(page: KnowledgeTab, sessions: Sessions, question: gr.Textbox, ask: gr.Button, answer: gr.HTML) -> None:
    @reporting_errors
    async def try_out(asked: str, request: gr.Request) -> str:
        return await page.try_out(await sessions.member(request), asked or "")

    for event in (question.submit, ask.click):
        event(try_out, question, answer, **PRIVATE)
