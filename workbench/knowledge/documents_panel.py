"""The documents on the Knowledge tab: the list, one of them in detail, loading and deleting."""

from typing import Any

import gradio as gr

from storage.errors import NotFoundError
from storage.knowledge.documents.readers import READERS
from storage.records import DocumentStatus, Member, Role
from workbench.auth.sessions import Sessions
from workbench.context import WorkbenchContext
from workbench.knowledge.view import document_html, documents_html
from workbench.ui.handlers import PRIVATE_EVENT, error_boundary
from workbench.ui.html import empty_state
from workbench.ui.scripts import bundle_scripts

UPLOAD_FORM = (
    '<label class="dh-upload"><span>Load documents: CSV, TSV, JSON, JSONL, Markdown, text</span>'
    f'<input type="file" multiple accept="{",".join(READERS)}"></label><div role="status"></div>'
)
CHUNKS_SHOWN = 100
LOADING_POLL_SECONDS = 1.0
"""Between two looks at a document that is being loaded."""
FORWARD_CLICKS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-doc]');
  if (button) trigger('click', { id: button.dataset.doc });
});
"""
NOTHING_PICKED = empty_state(
    "Look into a document", "Pick one in the list to see its entries and the rows that were refused."
)


class DocumentsPanel:
    """The components and their events; each finds the member by the session and stays in their workspace."""

    def __init__(self, context: WorkbenchContext, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions
        self._picked = gr.State("")
        self._timer = gr.Timer(LOADING_POLL_SECONDS, active=False)
        with gr.Group(visible=False) as self._uploads:
            uploads = gr.HTML(
                html_template=UPLOAD_FORM,
                js_on_load=bundle_scripts("knowledge/uploads"),
                apply_default_css=False,
                elem_id="dh-load",
            )
        self._listing = gr.HTML(js_on_load=FORWARD_CLICKS, apply_default_css=False, elem_id="dh-documents")
        self._document = gr.HTML(NOTHING_PICKED, apply_default_css=False, elem_id="dh-document")
        self._delete = gr.Button("Delete this document …", visible=False, size="sm")
        with gr.Row(visible=False) as confirmation:
            confirm = gr.Button("Delete for good", variant="stop", size="sm")
            cancel = gr.Button("Keep it", size="sm")
        for clickable in (uploads, self._listing):
            clickable.click(self._pick, None, [self._picked, confirmation, *self._outputs], **PRIVATE_EVENT)
        self._delete.click(lambda: gr.Row(visible=True), None, confirmation, **PRIVATE_EVENT)
        cancel.click(lambda: gr.Row(visible=False), None, confirmation, **PRIVATE_EVENT)
        confirm.click(self._forget, self._picked, [self._picked, confirmation, *self._outputs], **PRIVATE_EVENT)

    def refresh_on(self, tab: gr.Tab) -> None:
        """Show the documents when the tab opens, and go on while one of them is being loaded."""
        for event in (tab.select, self._timer.tick):
            event(self._refresh, self._picked, self._outputs, **PRIVATE_EVENT)

    @property
    def _outputs(self) -> list[Any]:
        """What `_refreshed` fills."""
        return [self._listing, self._timer, self._document, self._delete, self._uploads]

    async def _refreshed(self, member: Member, picked: str) -> tuple[Any, ...]:
        """List, polling, document, delete button and uploads, for the member's role."""
        documents = await self._context.store.knowledge.catalogue.list(member.workspace_id)
        is_admin = member.role is Role.ADMIN
        loading = any(document.status is DocumentStatus.LOADING for document in documents)
        return (
            documents_html(documents, picked, may_load=is_admin),
            gr.Timer(active=loading),
            await self._document_html(member, picked),
            gr.Button(visible=is_admin and any(document.id == picked for document in documents)),
            gr.Group(visible=is_admin),
        )

    async def _document_html(self, member: Member, document_id: str) -> str:
        if not document_id:
            return NOTHING_PICKED
        catalogue = self._context.store.knowledge.catalogue
        try:
            document = await catalogue.get(member.workspace_id, document_id)
        except NotFoundError:
            return NOTHING_PICKED
        chunks = await catalogue.chunks(member.workspace_id, document_id, limit=CHUNKS_SHOWN)
        return document_html(document, chunks)

    @error_boundary
    async def _refresh(self, picked: str, request: gr.Request) -> tuple[Any, ...]:
        return await self._refreshed(await self._sessions.member(request), picked)

    @error_boundary
    async def _pick(self, click: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        member = await self._sessions.member(request)
        picked = str(click.id)[:64]
        return picked, gr.Row(visible=False), *await self._refreshed(member, picked)

    @error_boundary
    async def _forget(self, picked: str, request: gr.Request) -> tuple[Any, ...]:
        admin = await self._sessions.admin(request)
        await self._context.desk.delete_document(admin, picked)
        gr.Info("Deleted: the bot does not answer from it any more.")
        return "", gr.Row(visible=False), *await self._refreshed(admin, "")
