"""Machines on this computer, in which a startup script runs as it does on a provider's: its real text.

`machine` starts and stops one, `boot` gives it namespaces of its own (user, mount, PID, UTS, IPC; no rights needed)
or, where the kernel refuses these, a group of processes with paths of its own (`group`); `rooms` makes its file tree,
`init` is its first process. What could not be kept apart is said in sentences (`Machine.shared`).
"""
