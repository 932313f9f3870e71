"""How answers look: in which form, and how they are packed, as the request's headers ask."""

from treering.gateway.forms.looks import VARY, Looks, looks_of
from treering.gateway.forms.tables import tables_of

__all__ = ["VARY", "Looks", "looks_of", "tables_of"]
