"""What a value that does not fit is told with: the forms and the words of pydantic 2."""

from typing import Any

VERSION = "2.14.4"


class PydanticUserError(RuntimeError):
    """A model is written in a way that cannot be, or that this module does not know."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code = message, code


class PydanticSchemaGenerationError(PydanticUserError):
    """A field has a type of which no value can be checked."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="schema-for-unknown-type")


class PydanticUndefinedAnnotation(PydanticUserError, NameError):
    """A field's type names what is not there."""


class PydanticInvalidForJsonSchema(PydanticUserError):
    """A field has a type that JSON Schema cannot say."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="invalid-for-json-schema")


class PydanticSerializationError(ValueError):
    """A value has no JSON form."""


class Misfit(Exception):
    """One or more reasons why a value does not fit, each with where: inside of this module only."""

    def __init__(self, issues: list[dict[str, Any]]) -> None:
        self.issues = issues


def misfit(kind: str, message: str, value: Any, context: dict[str, Any] | None = None) -> Misfit:
    issue: dict[str, Any] = {"type": kind, "loc": (), "msg": message, "input": value}
    if context:
        issue["ctx"] = context
    return Misfit([issue])


def placed(issues: list[dict[str, Any]], *where: Any) -> list[dict[str, Any]]:
    """The same reasons, one place further out."""
    return [{**issue, "loc": (*where, *issue["loc"])} for issue in issues]


class ValidationError(ValueError):
    """Values that do not fit a model."""

    def __init__(self, title: str, issues: list[dict[str, Any]]) -> None:
        super().__init__(title, issues)
        self.title, self._issues = title, issues

    def error_count(self) -> int:
        return len(self._issues)

    def errors(self, *, include_url: bool = True, include_context: bool = True, include_input: bool = True) -> list[dict[str, Any]]:
        told = []
        for issue in self._issues:
            one = {key: value for key, value in issue.items() if key in ("type", "loc", "msg")}
            if include_input:
                one["input"] = issue["input"]
            if include_context and "ctx" in issue:
                one["ctx"] = issue["ctx"]
            if include_url and issue["type"] not in ("value_error", "assertion_error") or include_url:
                one["url"] = _url(issue["type"])
            told.append(one)
        return told

    def json(self, *, indent: int | None = None, **_: Any) -> str:
        import json

        return json.dumps(self.errors(), indent=indent, default=str)

    def __str__(self) -> str:
        count = len(self._issues)
        lines = [f"{count} validation error{'s' if count != 1 else ''} for {self.title}"]
        for issue in self._issues:
            if issue["loc"]:
                lines.append(".".join(str(it) for it in issue["loc"]))
            value = issue["input"]
            shown = repr(value)
            if len(shown) > 50:
                shown = f"{shown[:25]}...{shown[-24:]}"
            lines.append(f"  {issue['msg']} [type={issue['type']}, input_value={shown}, input_type={type(value).__name__}]")
            lines.append(f"    For further information visit {_url(issue['type'])}")
        return "\n".join(lines)

    __repr__ = __str__


def _url(kind: str) -> str:
    return f"https://errors.pydantic.dev/{VERSION.rpartition('.')[0]}/v/{kind}"
