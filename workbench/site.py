"""The web application of port 7860: REST, the customers' routes and the workbench, in this order."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from workbench.api.problems import install_problems
from workbench.api.routes import api_routes, install_metering
from workbench.app import mount_workbench
from workbench.context import WorkbenchContext
from workbench.http.body_limit import MEGABYTE, BodyLimitMiddleware
from workbench.http.head_requests import HeadMiddleware
from workbench.http.problem_document import CUSTOMER_PROBLEMS
from workbench.http.response_caching import NoStoreMiddleware
from workbench.http.root_path import RootPathMiddleware
from workbench.http.unusable_text import UnusableTextMiddleware


def build_site(context: WorkbenchContext, customer_routes: Sequence[APIRouter]) -> FastAPI:
    """Everything that port 7860 serves; the workbench, mounted at `/`, comes last and takes what is left."""
    site = FastAPI(title="Deskhand", version="0.1.0", docs_url=None, redoc_url=None)
    metrics = context.store.cluster.metrics(context.registry)
    # The last one added comes first: no body is read before its length is watched.
    site.add_middleware(UnusableTextMiddleware)
    site.add_middleware(BodyLimitMiddleware, largest_file=context.settings.web.max_upload_mb * MEGABYTE)
    site.add_middleware(HeadMiddleware)
    site.add_middleware(NoStoreMiddleware)
    install_problems(site)
    install_metering(site, metrics)
    site.add_middleware(RootPathMiddleware, root_path=context.settings.web.root_path)
    site.include_router(api_routes(context, metrics=metrics))
    for routes in customer_routes:
        site.include_router(routes, responses=dict(CUSTOMER_PROBLEMS))
    return mount_workbench(site, context)
