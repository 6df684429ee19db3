"""A power cut: of what SQLite has written, only what it has had synced is there afterwards.

SQLite reaches files through a table of functions, its VFS. `Disk` puts one before the default one which keeps, beside
the real files, what each held when it was last synced. It does so in the library that Python's sqlite3 has loaded.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_void_p, cast
from pathlib import Path

# Names are addresses: SQLite keeps those that it hands over, and a copy of ours would be gone.
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _OPEN),
        ("delete", _DELETE),
        ("others", c_void_p * 13),  # which are copied as they stand
    )


class _Methods(Structure):
    """sqlite3_io_methods of version 3: a number, then 18 functions, the fifth of which syncs."""

    _fields_ = (("version", c_int), ("functions", c_void_p * 18))


_SYNCS = 4


class Disk:
    """Stays in front of SQLite's own VFS for the rest of the process: open files have its functions in their tables.
    It keeps what would be there of the files below one folder at a time. Raises OSError where SQLite's library cannot
    be had."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.kept = Path()
        self.on = True
        self._paths: dict[int, str] = {}
        self._new: set[int] = set()
        self._deleted: set[str] = set()
        self._sync_of: dict[int, object] = {}
        self._methods: dict[int, _Methods] = {}
        self._library = _library()
        self._default = cast(self._library.sqlite3_vfs_find(None), POINTER(_Vfs))
        self._vfs = _Vfs.from_buffer_copy(self._default.contents)
        self._vfs.name = b"power"
        self._vfs.next = None
        self._vfs.open = self._open = _OPEN(self._opened)
        self._vfs.delete = self._delete = _DELETE(self._deletes)
        self._library.sqlite3_vfs_register(byref(self._vfs), 1)

    def watch(self, folder: Path | None, kept: Path) -> None:
        """Look after the files of this folder from now on; they are not there yet. `kept` is where their twins go."""
        self.folder, self.kept, self.on = (str(folder) if folder else None), kept, True
        self._new.clear()
        self._deleted.clear()

    def cut(self) -> None:
        """From here on nothing gets to the disk; `restore` shows what is there."""
        self.on = False

    def restore(self) -> None:
        """The files as they are after the power is back."""
        self.on = True
        self._deleted.clear()
        assert self.folder is not None
        os.makedirs(self.folder, exist_ok=True)  # nothing may have been begun
        for name in os.listdir(self.folder):
            if ".sqlite" in name:
                os.unlink(os.path.join(self.folder, name))
        for each in self.kept.iterdir():
            shutil.copy(each, self.folder)

    def _deletes(self, vfs: int, name: int, synced: int) -> int:
        status = int(self._default.contents.delete(cast(self._default, c_void_p), name, synced))
        self._deleted.add(os.path.basename(_text(name)))
        if synced:
            self._sync_folder()
        return status

    def _sync_folder(self) -> None:
        """What was deleted does not come back."""
        if self.on:
            for name in self._deleted:
                (self.kept / name).unlink(missing_ok=True)
            self._deleted.clear()

    def _opened(self, vfs: int, name: int | None, file: int, flags: int, given: object) -> int:
        status = self._default.contents.open(cast(self._default, c_void_p), name, file, flags, given)
        path = _text(name) if name else ""
        if status == 0 and self.folder is not None and path.startswith(self.folder):
            place = cast(file, POINTER(c_void_p))
            table = place[0]
            assert table is not None
            if table not in self._methods:
                self._methods[table] = self._with_our_sync(table)
            self._paths[file] = path
            self._new.add(file)
            place[0] = ctypes.addressof(self._methods[table])
        return int(status)

    def _with_our_sync(self, table: int) -> _Methods:
        methods = _Methods.from_buffer_copy(_Methods.from_address(table))
        real = cast(methods.functions[_SYNCS], _SYNC)

        def sync(file: int, flags: int) -> int:
            status = int(real(file, flags))
            if self.on and status == 0:
                path = self._paths[file]
                if self.folder is None or not path.startswith(self.folder):
                    return status
                if file in self._new and not path.endswith(".sqlite"):
                    self._sync_folder()  # as SQLite does with the first sync of a journal or WAL
                self._new.discard(file)
                shutil.copyfile(path, self.kept / os.path.basename(path))
            return status

        ours = _SYNC(sync)
        self._sync_of[table] = ours  # SQLite calls it as long as a file is open
        methods.functions[_SYNCS] = cast(ours, c_void_p).value
        return methods


def _text(address: int) -> str:
    return os.fsdecode(ctypes.string_at(address))


def _library() -> ctypes.CDLL:
    """The one that Python's own module has loaded."""
    sqlite3.connect(":memory:").close()
    found = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libsqlite3" in line}
    if not found:
        raise OSError("Python's sqlite3 has its library within itself")
    library = ctypes.CDLL(found.pop())
    library.sqlite3_vfs_find.restype = c_void_p
    library.sqlite3_vfs_find.argtypes = [c_char_p]
    library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
    library.sqlite3_vfs_unregister.argtypes = [c_void_p]
    return library
