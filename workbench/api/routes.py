"""Router of the REST interface: /api/v1 for members, /health, /metrics and /docs."""

from fastapi import APIRouter, Depends, FastAPI

from storage.telemetry.metrics import Metrics
from workbench.api import (
    analytics,
    answers,
    auth,
    conversations,
    deployment,
    docs,
    documents,
    members,
    monitoring,
    reviews,
    sessions,
    tickets,
)
from workbench.api.dependencies import providing
from workbench.context import WorkbenchContext
from workbench.http.health import health_routes
from workbench.http.metrics import RequestMetricsMiddleware
from workbench.http.problem_document import PROBLEMS
from workbench.http.request_ids import RequestIdMiddleware

RESOURCES = (
    auth,
    sessions,
    deployment,
    members,
    conversations,
    tickets,
    answers,
    documents,
    reviews,
    analytics,
    monitoring,
)


def api_routes(context: WorkbenchContext, *, metrics: Metrics | None = None) -> APIRouter:
    """Every REST route of the workbench.

    `metrics` are shown at /metrics (default: new ones in the context's registry).
    """
    dependencies = [Depends(providing(context))]
    routes = APIRouter()
    for resource in RESOURCES:
        routes.include_router(resource.router, prefix="/api/v1", dependencies=dependencies, responses=dict(PROBLEMS))
    health = context.store.cluster.health(context.jobs_are_working)
    routes.include_router(health_routes(health, metrics or context.store.cluster.metrics(context.registry)))
    routes.include_router(docs.router)
    return routes


def install_metering(app: FastAPI, metrics: Metrics) -> None:
    """Count the application's requests, and give each an id for the log."""
    app.add_middleware(RequestMetricsMiddleware, metrics=metrics)
    app.add_middleware(RequestIdMiddleware)
