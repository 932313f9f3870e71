"""What a service says of itself: its name, its version, its own defaults for settings."""

from dataclasses import dataclass, fields

from treering.errors import DeclarationError
from treering.settings import Settings, namespaced

_PLACES = {
    "app", "home", "secret", "api_keys", "api_key_file", "host", "port", "database",
    "database_owner", "database_reader", "kafka", "kafka_port", "jars", "mirror",
}  # fmt: skip
"""Settings that say where things are and what is secret: the environment's, never the code's."""
_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service; `service.py` declares exactly one.

    service = Service(id="lag-model", display_name="Lag model", version="1.0.0")
    """

    id: str
    """Lower-case words joined by `-`; the namespace unless a setting names another."""
    display_name: str = ""
    """What people read; made from the id unless given."""
    version: str = "0.0.0"
    description: str = ""
    settings: Settings = _DEFAULTS
    """Defaults of this service: what it names here holds unless the environment says otherwise."""

    def __post_init__(self) -> None:
        """Refuse what would only fail later, far from here."""
        for each in fields(self):
            wanted = Settings if each.name == "settings" else str
            found = getattr(self, each.name)
            if not isinstance(found, wanted):
                raise DeclarationError(
                    f"Service: {each.name} is a {wanted.__name__}, not {found!r}."
                )
        try:
            namespaced(self.id)
        except ValueError as error:
            raise DeclarationError(f"Service: {self.id!r} is no id: {error}.") from error
        if not self.version.strip():
            raise DeclarationError(f"Service {self.id!r}: version is empty; '1.0.0', for instance.")
        if taken := sorted(_PLACES & self.settings.model_fields_set):
            raise DeclarationError(
                f"Service {self.id!r}: {', '.join(taken)} can not be set in code; "
                "set it in the environment."
            )
        if not self.display_name:
            made = self.id.replace("-", " ").capitalize()
            object.__setattr__(self, "display_name", made)

    def settle(self, settings: Settings) -> Settings:
        """Return *settings* where they say something, this service's own where they do not."""
        said = {name: getattr(settings, name) for name in settings.model_fields_set}
        return self.settings.model_copy(update=said)
