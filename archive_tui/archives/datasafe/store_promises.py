"""What an object store must promise before anything is written into a datasafe there."""

from __future__ import annotations

from archive_tui.errors import ConfigurationError
from archive_tui.objects.object_store import ObjectStore, Support


def require_promises(store: ObjectStore) -> None:
    """Returns where of two writers one is refused; the server is asked when it is not known yet.

    Raises: ConfigurationError where both could take one place; what the store raises.
    """
    traits = store.traits
    if Support.UNKNOWN in (traits.create_only, traits.conditional_replace):
        traits = store.probe()
    if Support.NO in (traits.create_only, traits.conditional_replace):
        raise ConfigurationError(
            f"{store.label} cannot refuse to overwrite, so a datasafe there can only be read.",
            hint="Keep the datasafe in a folder, or on a server that honours conditional writes.",
        )
