"""The port to a chat model: what the graph asks of one, whoever serves it."""

from typing import Protocol, TypeVar

from pydantic import BaseModel

from graph.llm.prompts.templates import Prompt

T = TypeVar("T", bound=BaseModel)


class ChatModel(Protocol):
    """One endpoint and model."""

    name: str

    async def ask(self, prompt: Prompt, schema: type[T]) -> T:
        """The model's answer as a valid `schema`. Raises a ModelError whose `detail` is a sentence for the agent."""
        ...

    async def check(self) -> None:
        """Ask something trivial, to see whether the endpoint answers. Raises a ModelError that says why not."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
