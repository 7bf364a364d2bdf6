"""One text for one document, so that equal contents have equal bytes and equal digests."""

import hashlib
import json
from typing import Any


def canonical_json(document: Any) -> str:
    """Return `document` as JSON with sorted keys and no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def digest(*parts: bytes) -> str:
    """Return the SHA-256 of the parts, one after another, in hexadecimal."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()
