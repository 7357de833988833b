"""The composition root: what the service is made of, and in which order."""

from typing import TYPE_CHECKING

from fastapi import FastAPI

from service import __version__, openapi, problems
from service.access import Access, audit
from service.assistance import Assistance, assistance
from service.auth import configured_verifier
from service.briefings import load_pipeline
from service.briefings.agents import Parts
from service.briefings.runner import OUTCOMES, Runner
from service.briefings.spans import TracedSpans
from service.briefings.tools import CALLS
from service.database import Database
from service.lifespan import lifespan
from service.limits import in_memory_llm_limits
from service.limits.configured import configured_backend
from service.middleware import REJECTIONS, response_headers, stack
from service.readiness import Readiness
from service.routes import applications, briefings, cover_letters, jobs, profiles, questions
from service.routes.docs import docs_router
from service.routes.health import health_router
from service.settings import Settings
from telemetry import instrument, names

if TYPE_CHECKING:
    from service.briefings.graph import Pipeline

TITLE = "Clearstory"


def create_app(settings: Settings) -> FastAPI:
    """Build the service; nothing is opened and nothing runs before its lifespan.

    Args:
        settings: Complete ones: in development, `service.development` fills in the secrets.

    Raises:
        AuditError: A route has no access decision, no limit, or a colliding operation id.
        ValueError: There is no key to verify tokens with.
    """
    app = FastAPI(
        title=TITLE,
        version=__version__,
        description="Jobs, profiles, applications, and what a language model makes of them.",
        lifespan=lifespan,
        generate_unique_id_function=openapi.operation_id,
        openapi_url=None,  # ours are cached, audited, and served without a CDN
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would answer before the layers have decided
        # FastAPI's own spans would double those of the instrumentation.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.readiness = Readiness()
    problems.install(app)  # before any route: all of them fail alike

    app.include_router(health_router())
    app.include_router(profiles.router)
    app.include_router(jobs.router)
    app.include_router(applications.router)
    app.include_router(cover_letters.router)
    app.include_router(questions.router)
    app.include_router(briefings.router)
    openapi.install(app, serve=settings.docs_enabled)
    if settings.docs_enabled:
        app.include_router(docs_router(TITLE), tags=["meta"])

    access = audit(app, settings.rate_limits)  # after the last route, before anything could be served
    # Telemetry adds its own route, and judges the client's address itself.
    access["GET", settings.telemetry.metrics_path] = Access("address", None)

    verifier = configured_verifier(settings)
    counts = app.state.counts = configured_backend(settings, lambda: app.state.telemetry.metrics)
    layers = stack(
        settings,
        access=access,
        limiter=counts.limiter,
        verifier=verifier,
        metrics=lambda: app.state.telemetry.metrics,  # asked for when the first request builds the layers
    )
    telemetry = instrument(app, settings.telemetry, layers=layers, response_headers=response_headers(settings))
    telemetry.metrics.allow("policy", *settings.rate_limits)
    telemetry.metrics.declare(names.MIDDLEWARE_REJECTIONS, REJECTIONS)  # each exists at 0 from the start
    app.state.access = access
    app.state.telemetry = telemetry
    app.state.database = Database(settings.database_url, telemetry)  # after telemetry, which watches it
    budgets = {each.name: each.budget for each in settings.llm.providers}
    telemetry.metrics.allow("gen_ai_provider_name", *budgets)
    limits = in_memory_llm_limits(settings.rate_limits, budgets, telemetry.metrics)
    app.state.assistance = assistance(settings.llm, telemetry, limits)
    spans = TracedSpans(telemetry)

    def load() -> "Pipeline":
        ours: Assistance = app.state.assistance
        return load_pipeline(
            Parts(app.state.database, ours.model_for, ours.prompts, spans, telemetry.metrics, ours.material)
        )

    app.state.briefings = Runner(app.state.database, load, spans, telemetry.metrics)
    telemetry.metrics.declare(names.BRIEFINGS_FINISHED, OUTCOMES)
    telemetry.metrics.declare(names.BRIEFING_TOOL_CALLS, CALLS)
    return app
