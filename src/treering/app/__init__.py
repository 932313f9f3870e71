"""An application: found in its roots, loaded, and run as one or more roles."""

from treering.app.loading import App, load, named

__all__ = ["App", "load", "named"]
