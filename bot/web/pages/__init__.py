"""The dashboard: pages for people, which programs get as JSON from the same addresses."""

from bot.web.pages import (
    app,
    budget,
    deliveries,
    drafts,
    findings,
    hosts,
    issues,
    memory,
    now,
    repositories,
    runs,
    signing_in,
)

VIEWS = (
    *(*issues.VIEWS, *findings.VIEWS, *runs.VIEWS, *memory.VIEWS),
    *(*repositories.VIEWS, *hosts.VIEWS, *deliveries.VIEWS, *budget.VIEWS),
    *app.VIEWS,
)
BUTTONS = (*runs.BUTTONS, *memory.BUTTONS, *deliveries.BUTTONS)
ROUTES = (
    *(*now.ROUTES, *signing_in.ROUTES, *drafts.ROUTES, *issues.ROUTES, *findings.ROUTES, *runs.ROUTES),
    *(*memory.ROUTES, *repositories.ROUTES, *hosts.ROUTES, *deliveries.ROUTES, *budget.ROUTES),
    *app.ROUTES,
)
