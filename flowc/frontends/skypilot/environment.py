"""The variables of a task, its secrets, and the login for the registry of its image."""

from __future__ import annotations

from flowc.diag.codes.yaml import skypilot as codes
from flowc.frontends.skypilot.variables import unset
from flowc.inputs import Inputs
from flowc.ir.job import File
from flowc.secret import looks_secret
from flowc.yamldoc.node import Mapping, Node, Scalar, Sequence, is_null
from flowc.yamldoc.python_text import python_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flowc.diag.sink import Sink
    from flowc.source import Span

# The login for a private registry, given as three variables or three secrets.
LOGIN = ("SKYPILOT_DOCKER_USERNAME", "SKYPILOT_DOCKER_PASSWORD", "SKYPILOT_DOCKER_SERVER")
LOGIN_SECRET = "SKYPILOT_DOCKER"


class Environment:
    """`env` are variables with their values, `secrets` the names of secrets, `files` secrets that are files; `login` is
    where the registry's login is asked for, `server` that registry if the task says it in the open, `parts` what of the
    login it says so and is no secret."""

    __slots__ = ("env", "env_span", "files", "inputs", "login", "parts", "secrets", "secrets_span", "server", "sink")

    def __init__(self, task: Mapping, inputs: Inputs, sink: Sink) -> None:
        self.inputs = inputs
        self.sink = sink
        self.env: list[tuple[str, str]] = []
        self.secrets: list[str] = []
        self.files: list[tuple[File, Span]] = []
        self.env_span: Span | None = None
        self.secrets_span: Span | None = None
        self.server: str | None = None
        self.parts: list[tuple[str, str]] = []
        self.login = self._login(task)
        for pair in task.pairs_at("envs"):
            if not (self.login and pair.key.text in LOGIN):
                self._variable(python_text(pair.key) or pair.key.text, pair.key.span, pair.value)
            elif not is_null(pair.value) and not pair.key.text.endswith("PASSWORD"):
                self.parts.append((pair.key.text, str(pair.value.value)))
                if pair.key.text.endswith("SERVER"):
                    self.server = str(pair.value.value).rstrip("/")
        self._secrets(task)

    def _login(self, task: Mapping) -> Span | None:
        """The place of the registry's login; reports one that lacks a part."""
        places = {
            name: span for key in ("envs", "secrets", "managed_secrets") for name, span, _ in _names(task.at(key))
        }
        given = {name for name, _ in self.inputs.flags.env} | set(self.inputs.flags.secrets) | set(places)
        named = [name for name in LOGIN if name in given]
        place = next((places[name] for name in LOGIN if name in places), None)
        if place is not None and len(named) < len(LOGIN):
            missing = ", ".join(f"`{name}`" for name in LOGIN if name not in given)
            what = f"a login for a registry has three parts: {missing} is not there"
            self.sink.report(codes.SKYPILOT_CONFLICT, place, help=f"add {missing}", what=what)
            return None
        plain = {name for name, _, _ in _names(task.at("envs"))}
        hidden = {name for key in ("secrets", "managed_secrets") for name, _, _ in _names(task.at(key))}
        if place is not None and plain.intersection(LOGIN) and hidden.intersection(LOGIN):
            what = "a login for a registry stands partly in `envs` and partly in `secrets`"
            self.sink.report(codes.SKYPILOT_CONFLICT, place, help="write all of it below `secrets`", what=what)
            return None
        if place is not None:
            self.sink.report(codes.DOCKER_LOGIN, place, name=LOGIN_SECRET)
        return place

    def _variable(self, name: str, place: Span, value: Node) -> None:
        flags = self.inputs.flags
        given = name in dict(flags.env) or name in flags.secrets
        if is_null(value):
            if not given:
                help = f"give it with `--env {name}=VALUE`, or as a secret with `--secret {name}`"
                self.sink.report(codes.SKYPILOT_EMPTY_ENV, place, help=help, name=name)
            return
        text = str(value.value)
        self.env_span = self.env_span or value.span
        self.env.append((name, text))
        other = unset(text)
        if given or not text:
            return
        if other is not None:
            help = f"build it in `setup` and `run`: `export {name}=…`"
            if text in (f"${other}", f"${{{other}}}"):
                help = f"give the value with `--env {name}=VALUE`, or as a secret with `--secret {name}`"
            self.sink.report(codes.ENV_NOT_EXPANDED, value.span, help=help, name=name, other=other)
        elif looks_secret(name):
            self.sink.report(codes.SKYPILOT_ENV_SECRET, place, help="move it to `secrets`", name=name)

    def _secrets(self, task: Mapping) -> None:
        """Names alone: whatever values the file holds go nowhere."""
        given = []
        for key in ("secrets", "managed_secrets"):
            node = task.at(key)
            for name, span, value in _names(node):
                if self.login and name in LOGIN:
                    continue
                self.secrets_span = self.secrets_span or span
                path = value.at("mount_path") if value is not None else None
                if path is not None:
                    self.files.append((File(path=str(path.value), secret=name, mode=0o600), path.span))
                    continue
                self.secrets.append(name)
                if key == "secrets" and value is not None and not is_null(value):
                    given.append((name, span))
        self.secrets = list(dict.fromkeys(self.secrets))
        if given:
            names = ", ".join(f"`{name}`" for name, _ in given)
            self.sink.report(codes.SKYPILOT_SECRET_VALUE, given[0][1], names=names)


def _names(node: Node | None) -> list[tuple[str, Span, Node | None]]:
    """The names in `envs`, in a mapping of secrets (`workspace.NAME`) or in a list of them (`secrets:NAME`), each with
    its place and the value beside it."""
    if isinstance(node, Sequence):
        return [name for item in node.each() for name in _names(item)]
    if isinstance(node, Scalar):
        return [(_bare(str(node.value).removeprefix("secrets:")), node.span, None)]
    if isinstance(node, Mapping):
        return [(_bare(pair.key.text), pair.key.span, pair.value) for pair in node.pairs]
    return []


def _bare(name: str) -> str:
    return name.rpartition(".")[2]
