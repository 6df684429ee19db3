"""The parser of libyaml without the rest of PyYAML, which costs more than a whole check: its own modules, and `re`,
`datetime` and `base64` below them."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Modules of PyYAML from which its C module takes classes when it is loaded, but calls them only for an error or for a
# token. Those of events and nodes it also compares.
_CALLED = ("tokens", "reader", "scanner", "parser", "composer", "constructor", "emitter", "serializer", "representer")


# The C module, once it is loaded alone. In `sys.modules` it may be one that another thread is loading.
_alone: Any = None


def parser(text: str) -> tuple[Any, type[Exception]]:
    """What has `get_event` and `dispose` of PyYAML's loaders, and the class of its errors."""
    global _alone
    if "yaml" not in sys.modules and "flowc.cli" in sys.modules:  # a program of others has the whole, as it expects
        _alone = _load()
    if _alone is not None:
        return _alone.CParser(text), sys.modules["yaml.error"].YAMLError
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # it may have been built without libyaml
    return loader(text), yaml.YAMLError


def _load() -> Any:
    """Loads the C module, and leaves a `yaml` behind that becomes the whole when more of it is asked for; None where
    that cannot be."""
    import _frozen_importlib as bootstrap

    spec = bootstrap._find_spec("yaml", None)  # type: ignore[attr-defined]
    if spec is None or spec.submodule_search_locations is None:
        return None
    package: Any = type(sys)(spec.name)
    bootstrap._init_module_attrs(spec, package)
    package.__class__ = _Later
    before = {*sys.modules}
    sys.modules["yaml"] = package
    try:
        for module in ("error", "events", "nodes"):
            __import__(f"yaml.{module}")
        for module in _CALLED:
            setattr(package, module, _Called(module))
        package._yaml = __import__("yaml._yaml", fromlist=["*"])
    except (ImportError, AttributeError):  # it was built without libyaml, or is a PyYAML of another kind
        for each in {*sys.modules} - before:
            if each.partition(".")[0] == "yaml":
                del sys.modules[each]
        return None
    for module in _CALLED:
        delattr(package, module)
    return package._yaml


class _Later(type(sys)):  # type: ignore[misc]
    """A package that runs when it is first asked for what it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        self.__class__ = type(sys)  # type: ignore[assignment]
        spec.loader.exec_module(self)
        return getattr(self, name)


class _Called:
    """Stands for a module of PyYAML whose classes are only called: it is loaded when one of them is. Making its classes
    would cost more than reading a task."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.endswith(("Error", "Token")):
            raise AttributeError(name)

        def make(*words: Any) -> Any:
            return getattr(__import__(f"yaml.{self.module}", fromlist=["*"]), name)(*words)

        return make
