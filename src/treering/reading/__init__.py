"""Reading: what is asked of a read model, as one statement, and its answer as PostgreSQL's text."""

from treering.reading.answers import Found, Listing
from treering.reading.fetching import Rows
from treering.reading.models import ReadModels
from treering.reading.replicas import Replicas

__all__ = ["Found", "Listing", "ReadModels", "Replicas", "Rows"]
