"""Which App this Hob is on GitHub. Its keys were stored by `hob setup` (`bot.web.setup`)."""

from starlette.requests import Request

from bot.web.pages.view import TEXT, Answer, View, shape


async def show_app(request: Request) -> Answer:
    """Its public page, and where it is put on further repositories."""
    site, slug = request.app.state.site, request.app.state.slug
    page = f"{site}/{'apps' if site == 'https://github.com' else 'github-apps'}/{slug}"
    return {"slug": slug, "page": page, "install": f"{page}/installations/new"}


VIEWS = (View("/setup", "show_app", "This App", show_app, shape(slug=TEXT, page=TEXT, install=TEXT)),)
ROUTES = tuple(view.route for view in VIEWS)
