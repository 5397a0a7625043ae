/// <reference path="./brought.d.ts" />
/** Workflows for wf-host in TypeScript and JavaScript; see the README. */
export { type Event, type EventType, event, type Kind, type Schema, StartEvent, StepFailedEvent, StopEvent } from "./events";
export { type AllOf, type AnyOf, all, defineWorkflow, or, type Retry, type StepOptions, type Workflow, type WorkflowOptions } from "./workflow";
export type { Context, RetryInfo, State, Wait } from "./context";
export type { Duration } from "./duration";
export { Failure, type FailureOptions } from "./failure";
