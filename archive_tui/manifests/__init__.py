"""Documents that write an inventory down, and the registry that finds them in a folder."""

from archive_tui.manifests.manifest_kinds import FoundManifest, find_manifest

__all__ = ["FoundManifest", "find_manifest"]
