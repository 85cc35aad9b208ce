"""SHA-256 digests, recorded when a file is first seen and verified ever after.

None was ever published, so the first copy is trusted; that it stays the same is what can be checked. The
record is ``digests.json`` beside the files.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from filelock import FileLock

from ladi.files import write_json
from ladi.types import ModelError

LOGGER = logging.getLogger(__name__)

RECORD = "digests.json"


def sha256_of(path: Path) -> str:
    """A file's digest, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """What is on record in a folder, by file name.

    Raises:
        ModelError: the record cannot be read.
    """
    try:
        return json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The record {str(folder / RECORD)!r} cannot be read: restore or delete it."
        ) from error


def verify(path: Path, *, name: str | None = None, origin: str = "this machine") -> str:
    """Compare a file with the record, or put it on record.

    Args:
        path: the file.
        name: what it is called in the record, if not as on disk.
        origin: where it came from, for the record.

    Returns:
        Its digest.

    Raises:
        ModelError: it is not the file that was first seen.
    """
    folder, name = path.parent, name or path.name
    digest, known = sha256_of(path), recorded(folder).get(name)
    if known is None:
        _record(folder, name, {"sha256": digest, "bytes": path.stat().st_size, "from": origin})
    elif known["sha256"] != digest:
        raise ModelError(
            f"{name} is not the file that was first seen here (SHA-256 {digest[:12]}…, recorded "
            f"{known['sha256'][:12]}…): it was changed or damaged. Restore it, or, if you trust the new one, "
            f"delete its entry from {str(folder / RECORD)!r}."
        )
    return digest


def _record(folder: Path, name: str, entry: dict[str, Any]) -> None:
    """Add one entry; others may be adding theirs."""
    try:
        with FileLock(folder / f".{RECORD}.lock"):
            entries = recorded(folder) | {name: entry}
            write_json(folder / RECORD, dict(sorted(entries.items())))
    except PermissionError:
        LOGGER.warning("the digest of %s cannot be recorded: its folder is read-only", name)
