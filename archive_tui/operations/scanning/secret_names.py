"""Names under which people keep passwords and private keys: what is published cannot be called back."""

from __future__ import annotations

import re

_SECRET_FILE = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.*\.(?:pem|key|p12|pfx|ppk|kdbx|jks|keystore|keytab)"
    r"|\.env(?:\..+)?|credentials?(?:\.\w+)?|secrets?\.\w+|\.(?:netrc|pgpass|pypirc|npmrc|git-credentials|htpasswd|my\.cnf)"
    r"|.*\.tfstate|service[-_]account.*\.json"
)
_SECRET_FOLDERS = frozenset({".aws", ".azure", ".docker", ".gnupg", ".kube", ".ssh", "secrets"})


def looks_secret(name: str) -> bool:
    """True when a file of this name often holds a password or a private key."""
    return _SECRET_FILE.fullmatch(name.lower()) is not None


def looks_secret_folder(name: str) -> bool:
    """True when a folder of this name often holds passwords or private keys."""
    return name.lower() in _SECRET_FOLDERS
