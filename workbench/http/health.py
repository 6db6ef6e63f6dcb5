"""For the machines that watch this one: is it alive, is it ready, and what does it measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel

from storage.telemetry.health import Health
from storage.telemetry.metrics import Metrics

Word = Literal["ready", "not-ready"]
router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class Watch:
    """What the routes below tell of."""

    health: Health
    measures: Metrics


class HealthItem(BaseModel):
    """Whether this process can do its work."""

    status: Word
    alive: Literal[True] = True
    ready: bool
    parts: dict[str, Word]


class LiveItem(BaseModel):
    """This process runs and its event loop turns."""

    status: Literal["alive"] = "alive"


UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": HealthItem, "description": "A part does not answer."}}


def health_routes(health: Health, measures: Metrics) -> APIRouter:
    """The routes about one process; they need no member, so that a worker can serve them alone."""
    watch = Watch(health, measures)

    def provide(request: Request) -> None:
        request.state.watch = watch

    routes = APIRouter()
    routes.include_router(router, dependencies=[Depends(provide)])
    return routes


def _watch(request: Request) -> Watch:
    watch: Watch = request.state.watch
    return watch


AtWatch = Annotated[Watch, Depends(_watch)]


@router.get("/health", responses=UNREADY)
async def health(watch: AtWatch, response: Response) -> HealthItem:
    """200 when database and vectors answer, else 503; the reasons are in the log."""
    return _item(await watch.health.parts(), response)


@router.get("/health/live")
async def live() -> LiveItem:
    """Always 200: a process that cannot answer this should be started anew. Nothing else is asked."""
    return LiveItem()


@router.get("/health/ready", responses=UNREADY)
async def ready(watch: AtWatch, response: Response) -> HealthItem:
    """200 when everything that this process needs for its work is there, else 503 with the failing parts."""
    return _item(await watch.health.readiness(), response)


@router.get("/metrics", response_class=Response)
async def metrics(watch: AtWatch) -> Response:
    """What Prometheus scrapes."""
    return Response(await watch.measures.scrape(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _item(parts: Mapping[str, bool], response: Response) -> HealthItem:
    ready = all(parts.values())
    if not ready:
        response.status_code = 503
    return HealthItem(
        status=_word(ready=ready), ready=ready, parts={name: _word(ready=good) for name, good in parts.items()}
    )


def _word(*, ready: bool) -> Word:
    return "ready" if ready else "not-ready"
