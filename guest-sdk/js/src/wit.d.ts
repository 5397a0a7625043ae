/** The imports of a component, as the contract (`workflow.wit`) has them. Failures are thrown, as `payload` of an error. */
interface WitEvent {
  name: string;
  payload: string;
}
type WitText = string | null | undefined;

declare module "wf:workflow/events@0.1.0" {
  export function send(event: WitEvent, options: string): void;
  export function publish(event: WitEvent, options: string): void;
  export function wait(options: string): WitEvent;
  export function collect(event: WitEvent, options: string): WitEvent[] | null | undefined;
}
declare module "wf:workflow/state@0.1.0" {
  export function get(path: string): WitText;
  export function set(path: string, value: string): void;
  export function push(path: string, value: string): void;
  export { remove as delete };
  function remove(path: string): void;
  export function editBegin(path: string): [number, WitText];
  export function editExclusive(path: string): [number, WitText];
  export function editCommit(path: string, version: number, value: string): boolean;
}
declare module "wf:workflow/time@0.1.0" {
  export function now(): number;
  export function sleep(microseconds: number): void;
}
declare module "wf:workflow/memo@0.1.0" {
  export function lookUp(name: string): WitText;
  export function keep(name: string, value: string): void;
}
declare module "wf:workflow/run@0.1.0" {
  export function runId(): string;
  export function handlerId(): string;
  export function workflow(): string;
  export function step(): string;
  export function attempt(): number;
  export function retryInfo(): string;
  export function idempotencyKey(label: string): string;
  export function commit(): void;
}
declare module "wf:workflow/http@0.1.0" {
  export function request(options: string, body: Uint8Array): [number, string];
  export function read(request: number): Uint8Array | null | undefined;
  export function close(request: number): void;
}
declare module "wf:workflow/log@0.1.0" {
  export function write(level: string, message: string, fields: string): void;
}
declare module "wasi:random/random@0.2.0" {
  export function getRandomBytes(length: number): Uint8Array;
}
declare module "wasi:cli/environment@0.2.0" {
  export function getEnvironment(): [string, string][];
}
