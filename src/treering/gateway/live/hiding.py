"""What not everybody may be told of: API keys, but by those who make them."""

from collections.abc import Sequence

from starlette.types import Scope

from treering.domain.api_key import KIND, Access
from treering.gateway.http.guard import bearer_of
from treering.query import Filter, FilterSpec

_ALL: Access = "admin"


def hidden_from(scope: Scope) -> Sequence[Filter]:
    """Return the conditions on events that whoever asks may be told of."""
    if bearer_of(scope).access == _ALL:
        return ()
    return (FilterSpec("kind", "ne", KIND),)
