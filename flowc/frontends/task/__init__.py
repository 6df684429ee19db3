"""Task YAML, and the command line as a job of its own: both have the fields of `model`.

`read` gives the checked nodes of each document, `rules` holds its fields against each other, `lower` gives jobs. A
check uses the table of fields in `flowc/_compiled/task_fields.py`, which is compiled from the models.
"""

from __future__ import annotations

from flowc.frontends.base import Frontend
from flowc.frontends.task.lower import lower, lower_command
from flowc.frontends.task.read import ast, ast_of_command, read, read_command

FRONTEND = Frontend(read=read, ast=ast, lower=lower)
COMMAND_LINE = Frontend(read=read_command, ast=ast_of_command, lower=lower_command)
