"""The base of every stored value, and new ids."""

from uuid import uuid4

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that is stored as JSON and travels through the graph's state."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def new_id() -> str:
    """A fresh random id: 32 hexadecimal digits."""
    return uuid4().hex
