"""The demo workspace: a fictional company's knowledge and two logins, made once."""

import secrets
from dataclasses import dataclass
from importlib import resources

from storage.errors import ConflictError
from storage.records import Role
from storage.settings import Settings
from storage.store import Store

WORKSPACE_ID = "demo"
WORKSPACE_NAME = "Plovermark (demo)"
CANNED_REPLIES = (
    ("Ask for details", "Thanks for writing! Could you tell me which device and app version you use?"),
    ("Looking into it", "I am looking into this and will be back here within the hour."),
    ("Glad it works", "Great to hear that it works now! Just write here if anything else comes up."),
)


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A login that was just made; the password is known only now."""

    email: str
    role: Role
    password: str | None
    """None: it was given in the environment, and is not repeated."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What making the demo workspace brought: logins to print once, documents to load."""

    logins: tuple[DemoLogin, ...] = ()
    document_ids: tuple[str, ...] = ()


async def ensure_demo(store: Store, settings: Settings) -> Demo:
    """Make the demo workspace unless it is there; a second call changes nothing."""
    is_fresh = not await store.accounts.workspaces.all()
    try:
        await store.accounts.workspaces.create(WORKSPACE_ID, WORKSPACE_NAME)
    except ConflictError:
        return Demo()
    if is_fresh:
        await store.accounts.deployment.choose_home_workspace(WORKSPACE_ID)
    people = (
        ("admin@demo.example", "Ada Admin", Role.ADMIN, settings.demo.admin_password),
        ("agent@demo.example", "Alex Agent", Role.AGENT, settings.demo.agent_password),
    )
    logins = []
    for email, name, role, given in people:
        password = given.get_secret_value() or secrets.token_urlsafe(12)
        await store.accounts.members.add(WORKSPACE_ID, email, name, role, password)
        if is_fresh and role is Role.ADMIN:
            await store.accounts.accounts.set_operator(email, is_operator=True)
        logins.append(DemoLogin(email, role, None if given.get_secret_value() else password))
    for title, text in CANNED_REPLIES:
        await store.accounts.canned_replies.keep(WORKSPACE_ID, title, text)
    return Demo(tuple(logins), await _documents(store))


async def _documents(store: Store) -> tuple[str, ...]:
    folder = resources.files("demo")
    files = [folder / "faq.csv", *sorted((folder / "pages").iterdir(), key=lambda page: page.name)]
    documents = [await store.knowledge.catalogue.create(WORKSPACE_ID, file.name, file.read_bytes()) for file in files]
    return tuple(document.id for document in documents)
