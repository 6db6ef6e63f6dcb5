"""Health probes: liveness, readiness and Prometheus metrics, for the machines that watch this one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel

from storage.telemetry.health import Health
from storage.telemetry.metrics import Metrics

Readiness = Literal["ready", "not-ready"]
router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class Probes:
    """What the routes below report on."""

    health: Health
    metrics: Metrics


class HealthItem(BaseModel):
    """Whether this process can do its work."""

    status: Readiness
    alive: Literal[True] = True
    ready: bool
    parts: dict[str, Readiness]


class LiveItem(BaseModel):
    """This process runs and its event loop turns."""

    status: Literal["alive"] = "alive"


UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": HealthItem, "description": "A part does not answer."}}


def health_routes(health: Health, metrics: Metrics) -> APIRouter:
    """The routes about one process; they need no member, so that a worker can serve them alone."""
    probes = Probes(health, metrics)

    def provide(request: Request) -> None:
        request.state.probes = probes

    routes = APIRouter()
    routes.include_router(router, dependencies=[Depends(provide)])
    return routes


def _probes(request: Request) -> Probes:
    probes: Probes = request.state.probes
    return probes


CurrentProbes = Annotated[Probes, Depends(_probes)]


@router.get("/health", responses=UNREADY)
async def read_health(probes: CurrentProbes, response: Response) -> HealthItem:
    """200 when database and vectors answer, else 503; the reasons are in the log."""
    return _item(await probes.health.parts(), response)


@router.get("/health/live")
async def read_liveness() -> LiveItem:
    """Always 200: a process that cannot answer this should be started anew. Nothing else is asked."""
    return LiveItem()


@router.get("/health/ready", responses=UNREADY)
async def read_readiness(probes: CurrentProbes, response: Response) -> HealthItem:
    """200 when everything that this process needs for its work is there, else 503 with the failing parts."""
    return _item(await probes.health.readiness(), response)


@router.get("/metrics", response_class=Response)
async def scrape_metrics(probes: CurrentProbes) -> Response:
    """What Prometheus scrapes."""
    return Response(await probes.metrics.scrape(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _item(parts: Mapping[str, bool], response: Response) -> HealthItem:
    ready = all(parts.values())
    if not ready:
        response.status_code = 503
    return HealthItem(
        status=_readiness(ready=ready),
        ready=ready,
        parts={name: _readiness(ready=good) for name, good in parts.items()},
    )


def _readiness(*, ready: bool) -> Readiness:
    return "ready" if ready else "not-ready"
