"""The REST interface: /api/v1 for members, /health, /metrics and /docs."""

from fastapi import APIRouter, Depends, FastAPI

from storage.telemetry.metrics import Metrics
from workbench.api import (
    analytics,
    answers,
    auth,
    conversations,
    docs,
    documents,
    members,
    monitoring,
    reviews,
    tickets,
)
from workbench.api.dependencies import ApiContext, behind
from workbench.auth.sessions import LoginLimits
from workbench.context import WorkbenchContext
from workbench.http.health import health_routes
from workbench.http.metrics import RequestMeter
from workbench.http.problem_document import PROBLEMS
from workbench.http.request_ids import RequestIds

RESOURCES = (auth, members, conversations, tickets, answers, documents, reviews, analytics, monitoring)


def api_routes(
    office: WorkbenchContext, *, measures: Metrics | None = None, logins: LoginLimits | None = None
) -> APIRouter:
    """Every REST route of the workbench.

    `measures` are shown at /metrics (default: new ones in the office's registry), `logins` is the guard that the
    login page has too.
    """
    attempts = office.settings.web.login_attempts
    front = ApiContext(
        office=office,
        logins=logins or LoginLimits(attempts),
        registrations=LoginLimits(attempts),
        analytics=office.store.reporting.analytics,
        monitoring=office.store.reporting.monitoring,
    )
    here = [Depends(behind(front))]
    routes = APIRouter()
    for resource in RESOURCES:
        routes.include_router(resource.router, prefix="/api/v1", dependencies=here, responses=dict(PROBLEMS))
    health = office.store.cluster.health(office.works)
    routes.include_router(health_routes(health, measures or office.store.cluster.metrics(office.registry)))
    routes.include_router(docs.router)
    return routes


def install_metering(app: FastAPI, measures: Metrics) -> None:
    """Count the application's requests, and give each an id for the log."""
    app.add_middleware(RequestMeter, measures=measures)
    app.add_middleware(RequestIds)
