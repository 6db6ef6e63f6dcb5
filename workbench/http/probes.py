"""The small door of a process without pages: whether it is well, and what it measures."""

from fastapi import FastAPI

from storage.telemetry.health import Health
from storage.telemetry.metrics import Metrics
from workbench.context import WorkbenchContext
from workbench.http.health import health_routes


def build_probe_app(office: WorkbenchContext) -> FastAPI:
    """`/health…` and `/metrics`, and nothing else."""
    door = FastAPI(title="Deskhand", version="0.1.0", docs_url=None, redoc_url=None, openapi_url=None)
    database = office.store.database
    health = Health(database, office.store.knowledge.index, office.works)
    door.include_router(health_routes(health, Metrics(office.registry, database)))
    return door
