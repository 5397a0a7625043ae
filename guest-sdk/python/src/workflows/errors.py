"""What goes wrong with a workflow, by the names of the original."""


class WorkflowValidationError(Exception):
    """A workflow or a step is written in a way that cannot work."""


class WorkflowTimeoutError(Exception):
    """A run took longer than its workflow's timeout."""


class WorkflowRuntimeError(Exception):
    """A step did what it must not, while it ran."""


class WorkflowDone(Exception):
    """A run has ended. Never raised here: kept because files import it."""


class WorkflowCancelledByUser(Exception):
    """A run was cancelled from outside."""


class WorkflowStepDoesNotExistError(Exception):
    """A step was named that is not there."""


class WorkflowConfigurationError(Exception):
    """A workflow's steps do not make one workflow."""


class ContextSerdeError(Exception):
    """A context cannot be written or read."""


class ContextStateError(Exception):
    """A context was asked for what it does not have here."""
