"""Reading: what is asked of a read model, as one statement, and its answer as PostgreSQL's text."""

from treering.reading.models import Found, Listing, ReadModels

__all__ = ["Found", "Listing", "ReadModels"]
