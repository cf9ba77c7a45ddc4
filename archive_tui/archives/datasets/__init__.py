"""Versioned dataset archives: `name.MAJOR.MINOR.PATCH.zip` with a manifest inside and a copy of it beside."""
