"""What steps are given beside their events."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Callable, Generic, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ResourceDescriptor:
    """Says how a parameter's value is made."""

    name: str
    cache: bool

    async def resolve(self, manager: ResourceManager) -> Any:
        raise NotImplementedError

    def said(self, annotation: Any, localns: dict[str, Any]) -> None:
        """The annotation that it stands in, and the names that are in reach there."""


class _Resource(ResourceDescriptor, Generic[T]):
    """What a function makes."""

    def __init__(self, factory: Callable[..., Any], cache: bool) -> None:
        self._factory, self.cache = factory, cache
        self.name = getattr(factory, "__qualname__", type(factory).__qualname__)
        self._localns: dict[str, Any] = {}

    def said(self, annotation: Any, localns: dict[str, Any]) -> None:
        self._localns = localns

    def dependencies(self) -> dict[str, ResourceDescriptor]:
        """The parameters of the function that are resources themselves."""
        try:
            hints = get_type_hints(self._factory, localns=self._localns, include_extras=True)
        except (TypeError, NameError):
            return {}
        found = {}
        for name, hint in hints.items():
            for said in hint.__metadata__ if get_origin(hint) is Annotated else ():
                if isinstance(said, ResourceDescriptor):
                    said.said(get_args(hint)[0], self._localns)
                    found[name] = said
        return found

    async def resolve(self, manager: ResourceManager) -> Any:
        given = {name: await manager.get(it) for name, it in self.dependencies().items()}
        made = self._factory(**given)
        return await made if inspect.isawaitable(made) else made


class _ResourceConfig(ResourceDescriptor):
    """What a JSON file holds."""

    cache = True

    def __init__(self, config_file: str, path_selector: str | None, label: str | None, description: str | None) -> None:
        if not config_file.endswith(".json"):
            raise ValueError("Only JSON files can be used to load Pydantic-based resources.")
        self.config_file, self.path_selector, self.label, self.description = config_file, path_selector, label, description
        self.name = config_file if path_selector is None else f"{config_file}.{path_selector}"
        self.cls_factory: Any = None
        self._text: str | None = None

    def said(self, annotation: Any, localns: dict[str, Any]) -> None:
        self.cls_factory = self.cls_factory or annotation

    def load(self) -> None:
        """Reads the file, which lies here or beside the workflow. Done when the component is built: there are no files later."""
        if self._text is None:
            beside = [Path(self.config_file), *(Path(folder, self.config_file) for folder in sys.path)]
            path = next((it for it in beside if it.is_file()), None)
            if path is None:
                raise FileNotFoundError(f"No such file: {self.config_file}")
            self._text = path.read_text(encoding="utf-8")

    def call(self) -> Any:
        self.load()
        value = json.loads(self._text or "")
        for key in (self.path_selector or "").split(".") if self.path_selector else ():
            if not isinstance(value, dict) or key not in value:
                raise ValueError(f"Cannot find {self.path_selector} in {self.config_file}")
            value = value[key]
        if self.cls_factory is None:
            raise ValueError("Class factory should be set to a BaseModel subclass before calling")
        return self.cls_factory.model_validate(value)

    async def resolve(self, manager: ResourceManager) -> Any:
        return self.call()


def Resource(factory: Callable[..., Any], cache: bool = True) -> Any:
    """A parameter's value is what the function makes; once for each entry into a step where it is cached."""
    return _Resource(factory, cache)


def ResourceConfig(config_file: str, path_selector: str | None = None, label: str | None = None, description: str | None = None) -> Any:
    """A parameter's value is a model, read from a JSON file when the component is built."""
    return _ResourceConfig(config_file, path_selector, label, description)


class ResourceManager:
    """Makes resources, and keeps those that are cached."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self._making: list[str] = []

    async def set(self, name: str, val: Any) -> None:
        self.resources[name] = val

    async def get(self, resource: Any) -> Any:
        if resource.name in self._making:
            raise ValueError(f"Circular resource dependency detected: {' -> '.join([*self._making, resource.name])}")
        if resource.cache and resource.name in self.resources:
            return self.resources[resource.name]
        self._making.append(resource.name)
        try:
            value = await resource.resolve(self)
        finally:
            self._making.pop()
        if resource.cache:
            await self.set(resource.name, value)
        return value

    def get_all(self) -> dict[str, Any]:
        return self.resources


class ResourceDefinition:
    """A parameter that is a resource."""

    def __init__(self, name: str, resource: Any, type_annotation: Any = None) -> None:
        self.name, self.resource, self.type_annotation = name, resource, type_annotation
