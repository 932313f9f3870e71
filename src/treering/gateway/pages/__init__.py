"""What people see in a browser: what runs here at `/`, and all addresses at `/docs`."""

from treering.gateway.pages.docs import Docs
from treering.gateway.pages.home import Home

__all__ = ["Docs", "Home"]
