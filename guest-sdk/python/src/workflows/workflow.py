"""Workflows: classes of steps."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from wf_guest import recording

from .errors import WorkflowRuntimeError, WorkflowValidationError
from .events import Event, StartEvent, StopEvent
from .handler import WorkflowHandler
from .representation.validate import check_graph, checked_resources, start_class, stop_class
from .resource import ResourceManager
from .utils import get_steps_from_class, get_steps_from_instance

_CHECKS = {"reachability", "terminal_event", "dead_end"}


class WorkflowMeta(type):
    """Gives each class its own free steps."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls._step_functions: dict[str, Any] = {}


class Workflow(metaclass=WorkflowMeta):
    """A workflow: what it does is said by its methods that are steps."""

    _step_functions: dict[str, Any]

    def __init__(
        self,
        timeout: float | None = 45.0,
        disable_validation: bool = False,
        verbose: bool = False,
        resource_manager: ResourceManager | None = None,
        num_concurrent_runs: int | None = None,
        runtime: Any = None,
        workflow_name: str | None = None,
        skip_graph_checks: set[str] | None = None,
        serializer: Any = None,
    ) -> None:
        if num_concurrent_runs is not None and (isinstance(num_concurrent_runs, bool) or not isinstance(num_concurrent_runs, int) or num_concurrent_runs <= 0):
            raise WorkflowValidationError("num_concurrent_runs must be an integer greater than 0 or None")
        unknown = set(skip_graph_checks or ()) - _CHECKS
        if unknown:
            raise WorkflowValidationError(f"Unknown graph check names: {', '.join(sorted(unknown))}. Valid names are: {', '.join(sorted(_CHECKS))}")
        self._timeout, self._verbose, self._disable_validation = timeout, verbose, disable_validation
        self._num_concurrent_runs, self._workflow_name, self._serializer = num_concurrent_runs, workflow_name, serializer
        self._skip_graph_checks = set(skip_graph_checks or ())
        self._resource_manager = resource_manager or ResourceManager()
        configs = self._step_configs()
        self._start_event_class = start_class(configs, type(self).__name__)
        self._stop_event_class = stop_class(configs, type(self).__name__)

    @property
    def workflow_name(self) -> str:
        cls = type(self)
        return self._workflow_name or f"{cls.__module__}.{cls.__qualname__}"

    @property
    def start_event_class(self) -> type[StartEvent]:
        return self._start_event_class

    @property
    def stop_event_class(self) -> type[StopEvent]:
        return self._stop_event_class

    @property
    def events(self) -> list[type[Event]]:
        """The events that the steps take and return."""
        found: dict[Any, None] = {}
        for config in self._step_configs().values():
            found |= dict.fromkeys(it for it in [*config.return_types, *config.accepted_events] if isinstance(it, type) and issubclass(it, Event))
        return list(found)

    @classmethod
    def _get_steps_from_class(cls) -> dict[str, Any]:
        return {**get_steps_from_class(cls), **cls._step_functions}

    @classmethod
    def add_step(cls, func: Any) -> None:
        """Adds a function as a step."""
        if getattr(func, "_step_config", None) is None:
            raise WorkflowValidationError(f"Step function {func.__name__} is missing the `@step` decorator.")
        if func.__name__ in cls._get_steps_from_class():
            raise WorkflowValidationError(f"A step {func.__name__} is already part of this workflow, please choose another name.")
        cls._step_functions[func.__name__] = func

    def _get_steps(self) -> dict[str, Any]:
        free = type(self)._step_functions
        # To look through a class takes longer than most steps do.
        if self.__dict__.get("_steps_found", (-1,))[0] != len(free):
            self.__dict__["_steps_found"] = len(free), {**get_steps_from_instance(self), **free}
        return self.__dict__["_steps_found"][1]

    def _step_configs(self) -> dict[str, Any]:
        return {name: it._step_config for name, it in self._get_steps().items()}

    def _get_start_event_instance(self, start_event: StartEvent | None, **kwargs: Any) -> StartEvent:
        if start_event is not None:
            if not isinstance(start_event, StartEvent):
                raise ValueError("The 'start_event' argument must be an instance of 'StartEvent'.")
            return start_event
        try:
            return self._start_event_class(**kwargs)
        except ValidationError:
            raise WorkflowRuntimeError(f"Failed creating a start event of type '{self._start_event_class.__name__}' with the keyword arguments: {kwargs}") from None

    def run(self, ctx: Any = None, start_event: StartEvent | None = None, **kwargs: Any) -> WorkflowHandler:
        """Asks for a run. Where a file is looked at, that says which workflow it serves."""
        recording.ran(self)
        return WorkflowHandler(self, ctx)

    def validate(self, *, validate_resource_configs: bool = True, validate_resources: bool = False) -> bool:
        """Checks the graph: whether people are asked by it, or a `WorkflowValidationError`."""
        configs = self._step_configs()
        asks = check_graph(configs, self._start_event_class, self._skip_graph_checks)
        if validate_resource_configs:
            checked_resources(configs)
        return asks
