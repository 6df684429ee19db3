"""`TaskConfig`: a task as a model with types, checked when it is made; the fields are those of a task YAML."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, model_validator
from pydantic import ValidationError as InvalidModel

from flowc import driver
from flowc.catalog.names import Mistake, parse_instance_type
from flowc.frontends.task.model import Task
from flowc.frontends.task.parts import Constraints, DataMount, Retries, Volume
from flowc.inputs import Inputs
from flowc.sdk import compiling
from flowc.sdk.errors import ValidationError
from flowc.sdk.writing import Written

# Under its public name; the model itself is the one that the format's table is compiled from.
VolumeSpec = Volume

__all__ = ["Constraints", "DataMount", "Retries", "TaskConfig", "TaskConfigBuilder", "VolumeSpec"]

PATH = "TaskConfig"


class TaskConfig(Task):
    """A task, which does not change: `replace` gives another one. Raises flowc.ValidationError for what a task YAML may
    not say, with what was probably meant."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, dict):
            _check(value)
        try:
            return handler(value)
        except InvalidModel as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or None
            raise ValidationError(f"{field or PATH}: {first['msg']}", field=field) from None

    @classmethod
    def builder(cls) -> TaskConfigBuilder:
        """Sets one thing after the other; `build()` checks and gives the config."""
        return TaskConfigBuilder()

    def replace(self, **changes: Any) -> Self:
        """A config with these fields changed, checked as a whole; None takes one out."""
        return type(self).model_validate({**self.flowc_fields(), **changes})

    def flowc_fields(self) -> dict[str, Any]:
        """The fields that were given, by the names of a task YAML."""
        return _given(self)

    def to_yaml(self) -> str:
        """The text of a task YAML, as `flowc submit` takes it."""
        return Written(PATH, self.flowc_fields()).source.text

    def __repr_args__(self) -> Any:
        # Values of the environment may be secrets.
        for name, value in super().__repr_args__():
            if name in self.flowc_fields():
                yield name, ({key: "…" for key in value} if name == "env" else value)


def _given(model: BaseModel) -> dict[str, Any]:
    """What was set, or changed since; in the order of the fields."""
    found = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value is not None and (name in model.model_fields_set or value != field.get_default()):
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _given(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _check(values: dict[str, Any]) -> None:
    """Raises ValidationError for what the format says against these fields: the findings are those of a file."""
    written = Written(PATH, {name: _plain(value) for name, value in values.items()})
    result = driver.compile(written.source, Inputs(), emit="ir", frontend="task-yaml")
    compiling.refuse(result.diagnostics, written)
    types = values.get("instance_type")
    for text in types if isinstance(types, list) else [types]:
        if isinstance(text, str) and isinstance(parse_instance_type(text), Mistake):
            # What is sold, and so what is near, is for the pass that chooses a machine to say.
            asked = Written(PATH, {"instance_type": text, "command": "true"})
            found = driver.check(asked.source, Inputs(), frontend="task-yaml")
            compiling.refuse(found.diagnostics, asked)


class TaskConfigBuilder:
    """Each `with_…` gives the builder back; `build` the config. Raises flowc.ValidationError in `build`."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def with_name(self, name: str) -> Self:
        return self._with(name=name)

    def with_gpu(self, gpu: str) -> Self:
        """The instance type, such as `a100` or `8xh100`."""
        return self._with(instance_type=gpu)

    def with_instance_type(self, instance_type: str | list[str]) -> Self:
        return self._with(instance_type=instance_type)

    def with_min_gpu_memory_gb(self, gigabytes: int) -> Self:
        return self._with(min_gpu_memory_gb=gigabytes)

    def with_num_instances(self, count: int) -> Self:
        return self._with(num_instances=count)

    def with_command(self, command: str | list[str]) -> Self:
        return self._with(command=command)

    def with_script(self, script: str) -> Self:
        return self._with(script=script)

    def with_image(self, image: str) -> Self:
        return self._with(image=image)

    def with_region(self, region: str) -> Self:
        return self._with(region=region)

    def with_volume(self, name: str, size_gb: int | None = None, *, mount_path: str | None = None, **more: Any) -> Self:
        """One more volume; further keywords are fields of VolumeSpec."""
        given = {"name": name, "size_gb": size_gb, "mount_path": mount_path, **more}
        volume = {key: value for key, value in given.items() if value is not None}
        self._fields.setdefault("volumes", []).append(volume)
        return self

    def with_env(self, name: str, value: str) -> Self:
        """One more variable."""
        self._fields.setdefault("env", {})[name] = value
        return self

    def with_data(self, target: str, source: str) -> Self:
        """One more mount: `source` is found at the path `target`."""
        self._fields.setdefault("data", {})[target] = source
        return self

    def with_port(self, port: int) -> Self:
        """One more port."""
        self._fields.setdefault("ports", []).append(port)
        return self

    def with_max_price_per_hour(self, usd: float) -> Self:
        return self._with(max_price_per_hour=usd)

    def with_max_run_time_hours(self, hours: float) -> Self:
        return self._with(max_run_time_hours=hours)

    def build(self) -> TaskConfig:
        """The config of all that was set. Raises flowc.ValidationError."""
        return TaskConfig.model_validate(self._fields)

    def __repr__(self) -> str:
        return f"TaskConfigBuilder({', '.join(self._fields)})"

    def _with(self, **fields: Any) -> Self:
        self._fields.update(fields)
        return self
