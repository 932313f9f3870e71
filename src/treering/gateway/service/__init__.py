"""What a service answers beside its collections."""
