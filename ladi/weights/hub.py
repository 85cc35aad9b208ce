"""Where a hub source's files lie on this machine, and how they get here.

A hub source is a folder, or a hub id with a commit. huggingface_hub does the work, and with it ``HF_HOME``,
``HF_HUB_OFFLINE``, ``HF_ENDPOINT`` and proxies mean what they mean everywhere; files stay in its cache. Every
file of a source comes from one place at one commit.
"""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from ladi.types import ModelError
from ladi.weights.table import Mirror, Source, SourceFile

LOGGER = logging.getLogger(__name__)

DEFAULT_BRANCH = "main"


@dataclass(frozen=True)
class Found:
    """A source's files on this machine."""

    files: dict[str, Path]
    """By the name wanted in the table; files that may be absent are left out where they are."""
    origin: str
    """The hub id or folder."""
    commit: str | None = None
    """The hub commit, where they are from the hub."""


def mirrors_of(source: Source, given: str | None = None) -> tuple[Mirror, ...]:
    """The places to try, in order.

    Args:
        source: a row of the table.
        given: another place, tried first; none takes the source's environment variable. A hub id may name a
            revision: ``owner/name@revision``.
    """
    given = given or os.environ.get(source.variable)
    if not given:
        return source.mirrors
    if Path(given).expanduser().is_dir():
        return (Mirror(given),)
    if source.kind == "release":
        return (Mirror(given),)
    name, _, revision = given.partition("@")
    return Mirror(name, revision or None), *source.mirrors


def look_up(source: Source, given: str | None = None) -> Found | list[str]:
    """Find a hub source without the network.

    Returns:
        The files, or the names of those that the most complete place still lacks.
    """
    fewest: list[str] | None = None
    mirrors = mirrors_of(source, given)
    for mirror in mirrors:
        found, missing = _look_in(mirror, source.files)
        if not missing:
            if mirror != mirrors[0]:
                LOGGER.warning(
                    "%s: %s is not here, %s is used", source.title, mirrors[0].location, found.origin
                )
            return found
        if fewest is None or len(missing) < len(fewest):
            fewest = missing
    return fewest or []


def download(source: Source, given: str | None = None) -> Found:
    """Bring a hub source's files, from the first place that has them.

    Raises:
        ModelError: no place has them, or it cannot be reached.
    """
    complaints = []
    for mirror in mirrors_of(source, given):
        found, missing = _look_in(mirror, source.files)
        if not missing:
            LOGGER.info("%s: already here, from %s", source.title, found.origin)
            return found
        folder = Path(mirror.location).expanduser()
        if folder.is_dir():
            raise ModelError(f"The {source.title} in {str(folder)!r} lacks {', '.join(missing)}: add them.")
        try:
            return _download_from(mirror, source)
        except Exception as error:  # the hub's library has a dozen kinds, and its HTTP library more
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise ModelError(
                    "The disk of the hub's cache is full: free some space, or move the cache with HF_HOME, "
                    "and run the command again; it goes on where it stopped."
                ) from error
            LOGGER.warning("%s: %s", mirror.location, _first_line(error))
            complaints.append(f"{mirror.location} ({type(error).__name__})")
    raise ModelError(
        f"The {source.title} could not be downloaded from {', '.join(complaints)}: check the network and "
        f"HF_HUB_OFFLINE, or name another place, a hub id or a folder, in {source.variable}."
    )


def _look_in(mirror: Mirror, files: tuple[SourceFile, ...]) -> tuple[Found, list[str]]:
    """What is in a folder or in the cache, and the names of the required files that are not."""
    folder, commit = Path(mirror.location).expanduser(), None
    paths: dict[str, Path] = {}
    if not folder.is_dir():
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    for file in files:
        for name in file.names:
            if folder.is_dir():
                path = folder / name
            else:
                try:
                    cached = try_to_load_from_cache(
                        mirror.location, name, revision=mirror.revision or DEFAULT_BRANCH
                    )
                except HFValidationError as error:
                    raise ModelError(
                        f"{mirror.location!r} is neither a folder nor a hub id like owner/name: name another."
                    ) from error
                if not isinstance(cached, str):
                    continue
                path = Path(cached)
                commit = path.parents[len(Path(name).parts) - 1].name
            if path.is_file():
                paths[file.name] = path
                break
    missing = [file.name for file in files if file.required and file.name not in paths]
    return Found(paths, mirror.location, commit), missing


def _download_from(mirror: Mirror, source: Source) -> Found:
    """Every file of the source at one commit of one repository."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    paths: dict[str, Path] = {}
    commit = mirror.revision
    for file in source.files:
        for name in file.names:
            try:
                path = Path(hf_hub_download(mirror.location, name, revision=commit))
            except LocalEntryNotFoundError:  # the hub cannot be reached
                raise
            except EntryNotFoundError:
                continue
            # Without a pinned revision the first file resolves the branch, once for all files.
            commit = path.parents[len(Path(name).parts) - 1].name
            paths[file.name] = path
            break
        else:
            if file.required:
                raise ModelError(f"it has no {file.name}")
    return Found(paths, mirror.location, commit)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
