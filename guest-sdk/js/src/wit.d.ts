/** The imports of a component, as the contract (`workflow.wit`) has them. Failures are thrown, as `payload` of an error.
 * The build gives a bundle each of them as one object. */
interface WitEvent {
  name: string;
  payload: string;
}
type WitText = string | null | undefined;

declare module "wf:workflow/events@0.1.0" {
  const host: {
    send(event: WitEvent, options: string): void;
    publish(event: WitEvent, options: string): void;
    wait(options: string): WitEvent;
    collect(event: WitEvent, options: string): WitEvent[] | null | undefined;
  };
  export default host;
}
declare module "wf:workflow/state@0.1.0" {
  const host: {
    get(path: string): WitText;
    set(path: string, value: string): void;
    push(path: string, value: string): void;
    delete(path: string): void;
    editBegin(path: string): [number, WitText];
    editExclusive(path: string): [number, WitText];
    editCommit(path: string, version: number, value: string): boolean;
  };
  export default host;
}
declare module "wf:workflow/time@0.1.0" {
  const host: {
    now(): number;
    sleep(microseconds: number): void;
  };
  export default host;
}
declare module "wf:workflow/memo@0.1.0" {
  const host: {
    lookUp(name: string): WitText;
    keep(name: string, value: string): void;
  };
  export default host;
}
declare module "wf:workflow/run@0.1.0" {
  const host: {
    runId(): string;
    handlerId(): string;
    workflow(): string;
    step(): string;
    attempt(): number;
    retryInfo(): string;
    idempotencyKey(label: string): string;
    commit(): void;
  };
  export default host;
}
declare module "wf:workflow/http@0.1.0" {
  const host: {
    request(options: string, body: Uint8Array): [number, string];
    read(request: number): Uint8Array | null | undefined;
    close(request: number): void;
  };
  export default host;
}
declare module "wf:workflow/log@0.1.0" {
  const host: {
    write(level: string, message: string, fields: string): void;
  };
  export default host;
}
declare module "wasi:random/random@0.2.0" {
  const host: {
    getRandomBytes(length: number): Uint8Array;
  };
  export default host;
}
declare module "wasi:cli/environment@0.2.0" {
  const host: {
    getEnvironment(): [string, string][];
  };
  export default host;
}
