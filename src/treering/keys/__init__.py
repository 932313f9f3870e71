"""Keys that let people and programs in: those that were issued, and those that settings name."""

from treering.keys.issued import IssuedKeys, following
from treering.keys.making import Made, made
from treering.keys.ring import Bearer, Keyring, configured_keys

__all__ = ["Bearer", "IssuedKeys", "Keyring", "Made", "configured_keys", "following", "made"]
