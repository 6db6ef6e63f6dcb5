"""The probe application of a process without pages: health and metrics only."""

from fastapi import FastAPI

from workbench.context import WorkbenchContext
from workbench.http.health import health_routes


def build_probe_app(context: WorkbenchContext) -> FastAPI:
    """`/health…` and `/metrics`, and nothing else."""
    app = FastAPI(title="Deskhand", version="0.1.0", docs_url=None, redoc_url=None, openapi_url=None)
    health = context.store.cluster.health(context.jobs_are_working)
    app.include_router(health_routes(health, context.store.cluster.metrics(context.registry)))
    return app
