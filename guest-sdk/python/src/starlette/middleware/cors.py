"""As above: `wf-host serve --cors-origin` says who may ask."""


class CORSMiddleware:
    """Named, and never made."""
