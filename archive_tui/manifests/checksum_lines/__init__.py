"""Manifests of lines, a digest and a name each, in the dialects that people have: sha256sum, BSD, quoted, CSV, JSON."""
