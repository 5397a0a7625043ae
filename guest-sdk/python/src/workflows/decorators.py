"""`@step` and `@catch_error`."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Callable

from .collect import Collect
from .errors import WorkflowValidationError
from .events import StepFailedEvent
from .utils import inspect_signature, is_free_function

if TYPE_CHECKING:
    from .retry_policy import RetryPolicy
    from .workflow import Workflow

#: How many frames around a decorator are looked at for the names in annotations.
_FRAMES = 4


@dataclasses.dataclass
class StepConfig:
    """What is known of a step."""

    accepted_events: list[Any]
    #: Its event parameters by name, each with its types.
    event_parameters: dict[str, list[Any]]
    return_types: list[Any]
    context_parameter: str | None
    context_state_type: Any
    resources: list[Any]
    num_workers: int = 4
    retry_policy: Any = None
    #: Set where one parameter is `list[E]`.
    collection_policy: Collect | None = None
    is_fan_out: bool = False
    #: What may be returned alone by a step that returns lists.
    bare_return_types: tuple[Any, ...] = ()
    listed_return_types: tuple[Any, ...] = ()
    role: str = "step"
    catch_error_for_steps: list[str] | None = None
    catch_error_max_recoveries: int = 1
    accept_event_subclasses: bool = False
    skip_graph_checks: list[str] = dataclasses.field(default_factory=list)

    @property
    def event_name(self) -> str:
        """The name of the first event parameter."""
        return next(iter(self.event_parameters))


def step(
    func: Callable[..., Any] | None = None,
    *,
    workflow: type[Workflow] | None = None,
    num_workers: int = 4,
    retry_policy: RetryPolicy | None = None,
    skip_graph_checks: list[str] | None = None,
    accept_event_subclasses: bool = False,
    pass_context: bool = False,
) -> Any:
    """Makes a method or a function a step of a workflow.

    `pass_context` is of older versions, and says nothing any more.
    """
    localns = _names_around()

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if not isinstance(num_workers, int) or num_workers <= 0:
            raise WorkflowValidationError("num_workers must be an integer greater than 0")
        config = inspect_signature(function, localns)
        config.num_workers, config.retry_policy = num_workers, retry_policy
        config.accept_event_subclasses, config.skip_graph_checks = accept_event_subclasses, list(skip_graph_checks or ())
        function._step_config = config
        if is_free_function(function.__qualname__):
            if workflow is None:
                raise WorkflowValidationError(f"To decorate {function.__name__} please pass a workflow class to the @step decorator.")
            workflow.add_step(function)
        return function

    return decorate(func) if func is not None else decorate


def catch_error(func: Callable[..., Any] | None = None, *, for_steps: list[str] | None = None, max_recoveries: int = 1) -> Any:
    """Makes a method the step that takes what failed for good elsewhere."""
    if not isinstance(max_recoveries, int) or max_recoveries < 1:
        raise WorkflowValidationError("@catch_error max_recoveries must be an integer >= 1")
    if for_steps is not None and not (isinstance(for_steps, list) and all(isinstance(it, str) for it in for_steps)):
        raise WorkflowValidationError("@catch_error for_steps must be None or a list of step name strings")
    localns = _names_around()

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        config = inspect_signature(function, localns)
        if config.accepted_events != [StepFailedEvent]:
            raise WorkflowValidationError(
                f"@catch_error handler '{function.__name__}' must accept StepFailedEvent as its event parameter."
            )
        config.num_workers, config.role = 1, "catch_error"
        config.catch_error_for_steps = list(for_steps) if for_steps is not None else None
        config.catch_error_max_recoveries = max_recoveries
        function._step_config = config
        return function

    return decorate(func) if func is not None else decorate


def _names_around() -> dict[str, Any]:
    """The local names around the caller of a decorator, for annotations that are texts."""
    frame, found = sys._getframe(2), []
    for _ in range(_FRAMES):
        if frame is None:
            break
        if frame.f_locals is not frame.f_globals:
            found.append(frame.f_locals)
        frame = frame.f_back
    names: dict[str, Any] = {}
    for local in reversed(found):
        names.update(local)
    return names
