"""Start-up banner: where to click, and the demo's logins."""

from collections.abc import Sequence

from commands.console import console, progress_bar
from graph.desk import Desk
from storage.operations.demo import Demo
from storage.settings import Settings


async def load_documents(desk: Desk, document_ids: Sequence[str]) -> None:
    """Load documents one after the other, with a bar each."""
    for document_id in document_ids:
        with progress_bar("Loading the demo knowledge") as report:
            await desk.load_document(document_id, report)


def print_banner(settings: Settings, made: Demo) -> None:
    """Say where to click, and the demo logins the one time they are known."""
    base = base_url(settings.web.host, settings.web.port) + settings.web.root_path
    console.print(
        f"\n[bold]Deskhand is ready.[/bold]\n  Workbench  {base}/\n  Web chat   {base}/chat\n  REST       {base}/docs"
    )
    for login in made.logins:
        password = f"password: {login.password}" if login.password else "password as given in the environment"
        console.print(f"  {login.role.capitalize():<9}  {login.email}   {password}", highlight=False)
    if any(login.password for login in made.logins):
        console.print("  These passwords are shown this once; `deskhand member reset` sets new ones.")
    if settings.model.provider == "none":
        console.print("  No chat model is set: answers come verbatim from the knowledge (README: A chat model).")
    console.print("  Ctrl-C stops.\n")


def base_url(host: str, port: int) -> str:
    """Where somebody on this machine finds it."""
    if host in ("127.0.0.1", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
