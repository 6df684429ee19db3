"""Where artifacts go: to standard output, or to files."""

from __future__ import annotations

import os
import sys

from flowc.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.backends.artifacts import Artifact


class Outputs:
    """Where artifacts go: the first of each source to standard output, or all of them below a folder."""

    def __init__(self, folder: str | None, *, several: bool) -> None:
        self.folder = folder
        self.several = several
        self.taken: set[str] = set()

    def put(self, path: str, artifacts: tuple[Artifact, ...]) -> bool:
        """False after saying that a file could not be written."""
        if self.folder is None:
            terminal.write(sys.stdout, artifacts[0].text, encoding="utf-8", errors=_errors(artifacts[0]))
            return True
        place = os.path.join(self.folder, self._subfolder(path)) if self.several else self.folder
        for artifact in artifacts:
            target = os.path.join(place, artifact.name)
            try:
                os.makedirs(place, exist_ok=True)
                with open(target, "wb") as file:
                    file.write(artifact.text.encode("utf-8", _errors(artifact)))
            except OSError as error:
                message = f"flowc: error: cannot write `{target}`: {(error.strerror or str(error)).lower()}\n"
                terminal.write(sys.stderr, message)
                return False
        return True

    def _subfolder(self, path: str) -> str:
        """The source's name without its suffix; a number tells sources of one name apart."""
        name = os.path.splitext(os.path.basename(path.strip("<>")))[0] or "job"
        unique, number = name, 2
        while unique in self.taken:
            unique, number = f"{name}-{number}", number + 1
        self.taken.add(unique)
        return unique


def _errors(artifact: Artifact) -> str:
    """How lone surrogates are written: as JSON escapes, or as the bytes that they stand for."""
    return "backslashreplace" if artifact.name.endswith(".json") else "surrogateescape"
