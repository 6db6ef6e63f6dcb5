"""The small door of a process without pages: whether it is well, and what it measures."""

from fastapi import FastAPI

from workbench.context import WorkbenchContext
from workbench.http.health import health_routes


def build_probe_app(office: WorkbenchContext) -> FastAPI:
    """`/health…` and `/metrics`, and nothing else."""
    door = FastAPI(title="Deskhand", version="0.1.0", docs_url=None, redoc_url=None, openapi_url=None)
    health = office.store.cluster.health(office.works)
    door.include_router(health_routes(health, office.store.cluster.metrics(office.registry)))
    return door
