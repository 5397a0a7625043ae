"""Which workflows a file has: those of its servers, its instances, what its `main()` would run, its classes."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError
from workflows.context.state_store import infer_state_type
from workflows.events import Event
from workflows.representation.validate import check_catchers, checked_resources
from workflows.workflow import Workflow

from . import prepare, recording
from .manifest import manifest
from .models import subclasses
from .quiet import quiet


class NotFound(Exception):
    """There is no such workflow, or not one alone. `line`: where in the file, or in another that is named."""

    def __init__(self, message: str, hint: str, line: int | None = None, file: str | None = None) -> None:
        super().__init__(message)
        self.hint, self.line, self.file = hint, line, file


#: What was found of classes that are not served, each with its line, since `find_all` began.
unserved: list[tuple[str, int | None]] = []


class Found:
    """A workflow of a file."""

    def __init__(self, name: str, workflow: Any, module: Any, additional: list[type[Event]], others: list[type[Event]]) -> None:
        self.name, self.workflow, self.module = name, workflow, module
        self.additional, self.others = additional, others

    @property
    def line(self) -> int:
        """Where its class begins."""
        try:
            return inspect.getsourcelines(type(self.workflow))[1]
        except (OSError, TypeError):
            return 1

    def check(self) -> None:
        """Checks its graph, unless it says not to, its state, and reads the files that its resources are in."""
        if self.workflow._disable_validation:
            check_catchers(self.workflow._step_configs())
            checked_resources(self.workflow._step_configs())
        else:
            self.workflow.validate()
        infer_state_type(self.workflow)
        self._check_models()

    def _check_models(self) -> None:
        """What a model of the file cannot be is said here, and not once a step makes one."""
        folder = Path(self.module.__file__).parent
        for model in subclasses(BaseModel):
            file = getattr(sys.modules.get(model.__module__), "__file__", None)
            if not file or folder not in Path(file).parents:
                continue
            try:
                model.__pydantic_ready__()
            except PydanticUndefinedAnnotation:
                # As anywhere: what it names may come later.
                continue
            except PydanticUserError as error:
                raise NotFound(f"`{model.__name__}`: {error}", "give the field a type of plain values, as `str`", line_of(model)) from None

    def manifest(self) -> dict[str, Any]:
        return manifest(self.workflow, self.name, self.additional, self.others)


def find(module: str, name: str) -> Found:
    """The workflow of that name."""
    found = find_all(module)
    for it in found:
        if it.name == name:
            return it
    names = ", ".join(f"`{it.name}`" for it in found)
    raise NotFound(f"there is no workflow `{name}`", f"there is {names}")


def find_all(module_name: str) -> list[Found]:
    """All workflows of a module, each under its name."""
    unserved.clear()
    recording.start()
    try:
        with quiet():
            module = _load(module_name)
        sources = prepare.sources()
        named, instances, broke = _servers(module), _instances(module), None
        if not named:
            with quiet(sleeps=False):
                broke = _main(module, sources.get(module.__name__, ""))
            named = _recorded_servers() or instances or _classes(module, _ran(module), broke)
    finally:
        recording.stop()
    if not named:
        if broke is not None:
            raise broke
        bare = [it for it in subclasses(Workflow) if it.__module__ == module.__name__]
        if bare:
            raise NotFound(f"`{bare[0].__name__}` has no steps", "write `@step` above each method that takes an event", line_of(bare[0]))
        raise NotFound("it has no workflow", "write a class that derives from `Workflow` and has steps, and make one: `workflow = MyWorkflow()`")
    seen: dict[str, Any] = {}
    for name, workflow, _ in named:
        if name in seen:
            raise NotFound(f"two workflows are called `{name}`", "give each a name of its own", line_of(type(workflow)))
        seen[name] = workflow
    own = [it for it in subclasses(Event) if it.__module__ == module.__name__]
    # What belongs to a workflow that is not served is nobody else's.
    kinds = {type(workflow) for _, workflow, _ in named}
    # Looked at without being made: who knows what that would want.
    classes = [object.__new__(it) for it in subclasses(Workflow) if it.__module__ == module.__name__ and it not in kinds]
    everywhere = {event for workflow in (*(it for _, it, _ in named), *classes) for event in _used(workflow)}
    return [Found(name, workflow, module, additional, [it for it in own if it not in everywhere]) for name, workflow, additional in named]


def _load(stem: str) -> Any:
    """The module of a file beside which other modules are looked for, but not before the standard library's."""
    folder = next((it for it in reversed(sys.path) if Path(it, f"{stem}.py").is_file()), None)
    if folder is None:
        raise NotFound(f"there is no file `{stem}.py`", "correct its name")
    sys.path.remove(folder)
    sys.path.append(folder)
    # A file may have the name of a module that others need, such as `random`.
    taken = stem in sys.stdlib_module_names or stem in sys.modules
    spec = importlib.util.spec_from_file_location(f"{stem}_workflow" if taken else stem, Path(folder, f"{stem}.py"))
    module = importlib.util.module_from_spec(spec)
    module.__wf_stem__ = stem
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except recording.Recorded:
        # The file runs its workflow as it is imported. What stands before that is known.
        pass
    return module


def _used(workflow: Any) -> list[Any]:
    from .analysis import words_of

    found = list(workflow.events)
    for function in workflow._get_steps().values():
        words = words_of(function, workflow)
        found += [*words.made, *words.sent, *words.waited]
    return found


def line_of(cls: type) -> int | None:
    """Where a class begins."""
    try:
        return inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return None


def _of_server(server: Any) -> list[tuple[str, Any, list[Any]]]:
    return [(name, workflow, list(additional)) for name, (workflow, additional) in server._added.items()]


def _servers(module: Any) -> list[tuple[str, Any, list[Any]]]:
    """The first server of a module, as the original's command line takes it."""
    from llama_agents.server import WorkflowServer

    servers = [value for name in dir(module) if isinstance(value := getattr(module, name), WorkflowServer)]
    return _of_server(servers[0]) if servers else []


def _recorded_servers() -> list[tuple[str, Any, list[Any]]]:
    added = [_of_server(it) for it in recording.recording.servers]
    return next((it for it in added if it), [])


def _instances(module: Any) -> list[tuple[str, Any, list[Any]]]:
    found = {name: value for name, value in vars(module).items() if isinstance(value, Workflow)}
    if len(found) == 1:
        return [(_stem(module), next(iter(found.values())), [])]
    return [(name, value, []) for name, value in found.items()]


def _stem(module: Any) -> str:
    return module.__wf_stem__


def _ran(module: Any) -> list[Any]:
    """The workflows that were asked for a run, one of each class."""
    kinds: dict[type, Any] = {}
    for it in recording.recording.workflows:
        kinds.setdefault(type(it), it)
    return [it for it in kinds.values()]


def _classes(module: Any, ran: list[Any], broke: Exception | None) -> list[tuple[str, Any, list[Any]]]:
    """What was run, and the other classes of the module that can be made without being told anything.

    `broke`: what ended `main()` before its end, which might have made them.
    """
    found = list(ran)
    names = {id(it) for it in vars(module).values()}
    classes = [it for it in subclasses(Workflow) if it.__module__ == module.__name__ and id(it) in names]
    for cls in classes:
        is_base = any(issubclass(other, cls) and other is not cls for other in classes)
        if any(type(it) is cls for it in found) or is_base or not cls._get_steps_from_class():
            continue
        try:
            found.append(cls())
        except Exception as error:
            if len(classes) == 1:
                if broke is not None:
                    raise broke from None
                raise NotFound(f"`{cls.__name__}` cannot be made: {error}", "mend it, or make one in the file: `workflow = …`", line_of(cls)) from None
            why = f"`{cls.__name__}` is not served: it cannot be made: {error}"
            unserved.append((why if broke is None else f"{why}; and `main()` ended with {type(broke).__name__}: {broke}", line_of(cls)))
    if len(found) == 1:
        return [(_stem(module), found[0], [])]
    return [(type(it).__name__, it, []) for it in found]


def _main(module: Any, text: str) -> Exception | None:
    """Runs what the file does when it is run itself, up to where it needs a run or a server. Gives what ended it before."""
    import asyncio

    guards = [node for node in ast.parse(text).body if isinstance(node, ast.If) and "__name__" in ast.dump(node.test) and "__main__" in ast.dump(node.test)]
    try:
        if guards:
            body = ast.Module(body=[it for guard in guards for it in guard.body], type_ignores=[])
            exec(compile(body, module.__file__, "exec"), vars(module))  # noqa: S102
            return None
        main = getattr(module, "main", None)
        if inspect.isfunction(main) and not any(it.default is it.empty for it in inspect.signature(main).parameters.values()):
            made = main()
            if inspect.iscoroutine(made):
                asyncio.run(made)
    except (recording.Recorded, SystemExit):
        return None
    except NotFound:
        raise
    except Exception as error:
        # It wants what is not there. Its classes may still do.
        return error
    return None
