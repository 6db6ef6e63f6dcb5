"""Router of the REST interface: /api/v1 for members, /health, /metrics and /docs."""

from fastapi import APIRouter, Depends, FastAPI

from storage.accounts.login_limits import LoginLimits
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
from workbench.api.dependencies import ApiContext, providing
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


def api_routes(
    context: WorkbenchContext, *, metrics: Metrics | None = None, logins: LoginLimits | None = None
) -> APIRouter:
    """Every REST route of the workbench.

    `metrics` are shown at /metrics (default: new ones in the context's registry), `logins` are the limits that the
    login page has too.
    """
    attempts = context.settings.web.login_attempts
    api = ApiContext(context, logins=logins or LoginLimits(attempts))
    dependencies = [Depends(providing(api))]
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
