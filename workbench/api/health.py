"""For the machines that watch this one: is it ready, and what does it measure."""

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from workbench.api.front import AtFront
from workbench.api.shapes import Item

router = APIRouter(tags=["health"])


class HealthItem(Item):
    """Whether this process can do its work."""

    status: Literal["ready", "not-ready"]
    alive: Literal[True] = True
    ready: bool
    parts: dict[str, Literal["ready", "not-ready"]]


@router.get("/health", responses={503: {"model": HealthItem, "description": "A part does not answer."}})
async def health(front: AtFront, response: Response) -> HealthItem:
    """200 when every part answers, else 503; the reasons are in the log."""
    parts = await front.health.parts()
    ready = all(parts.values())
    if not ready:
        response.status_code = 503
    return HealthItem(
        status=_word(ready=ready), ready=ready, parts={name: _word(ready=good) for name, good in parts.items()}
    )


@router.get("/metrics", response_class=Response)
async def metrics(front: AtFront) -> Response:
    """What Prometheus scrapes."""
    return Response(await front.measures.scrape(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _word(*, ready: bool) -> Literal["ready", "not-ready"]:
    return "ready" if ready else "not-ready"
