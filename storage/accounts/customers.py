"""Customers with a login in the web chat, so that their conversations are theirs on every device."""

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.exc import IntegrityError

from storage import clock
from storage.accounts.emails import checked_email
from storage.accounts.passwords import Passwords
from storage.database.engine import Database
from storage.database.tables import customers
from storage.errors import ConflictError, NotFoundError, NotLoggedInError
from storage.records import Customer, new_id


class Customers:
    """Registers customers and checks their passwords."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def register(self, workspace_id: str, email: str, name: str, password: str) -> Customer:
        """A customer with a login; ConflictError if the e-mail has one in this workspace already."""
        address = checked_email(email)
        password_hash = await self._passwords.hash(password)
        customer = Customer(new_id(), workspace_id, "web", _external_id(address), name.strip(), address)
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert(customers).values(
                        id=customer.id,
                        workspace_id=workspace_id,
                        channel=customer.channel,
                        external_id=customer.external_id,
                        name=customer.name[:200],
                        email=address,
                        password_hash=password_hash,
                        created_at=clock.now(),
                    )
                )
        except IntegrityError as error:
            raise ConflictError("There is a login with this e-mail already.") from error
        return customer

    async def log_in(self, workspace_id: str, email: str, password: str) -> Customer:
        """The customer whose e-mail and password these are; NotLoggedInError if there is none."""
        query = select(customers).where(
            customers.c.workspace_id == workspace_id,
            customers.c.channel == "web",
            customers.c.external_id == _external_id(email.strip().lower()),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if not await self._passwords.matches(row["password_hash"] if row else None, password) or row is None:
            raise NotLoggedInError("This e-mail and password do not match.")
        return _customer_of(row)

    async def read(self, workspace_id: str, customer_id: str) -> Customer:
        """One customer; NotFoundError outside the workspace."""
        query = select(customers).where(customers.c.id == customer_id, customers.c.workspace_id == workspace_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFoundError("There is no such customer in this workspace.")
        return _customer_of(row)


def _external_id(address: str) -> str:
    """Anonymous customers of the web chat have ids of another form, so that nobody becomes one by a login."""
    return f"login:{address}"


def _customer_of(row: RowMapping) -> Customer:
    return Customer(row["id"], row["workspace_id"], row["channel"], row["external_id"], row["name"], row["email"])
