/** What the SDK brings to a component, for projects that have neither the types of a browser nor of Node. */
import type { Headers as OurHeaders, RequestOptions, Response as OurResponse } from "./web/fetch";

declare global {
  function fetch(url: string | URL, options?: RequestOptions): Promise<OurResponse>;
  var Headers: typeof OurHeaders;
  var Response: typeof OurResponse;
  interface Console {
    log(...values: unknown[]): void;
    info(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
    debug(...values: unknown[]): void;
    trace(...values: unknown[]): void;
    assert(holds: unknown, ...values: unknown[]): void;
  }
  var console: Console;
  var crypto: {
    getRandomValues<T extends ArrayBufferView>(array: T): T;
    randomUUID(): string;
  };
  /** Variables that the workflow is granted, and what stands for its secrets. */
  var process: { readonly env: Readonly<Record<string, string | undefined>> };
  function setTimeout(run: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number;
  function setInterval(run: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number;
  function clearTimeout(id?: number): void;
  function clearInterval(id?: number): void;
  function queueMicrotask(job: () => void): void;
  function structuredClone<T>(value: T): T;

  class TextEncoder {
    readonly encoding: string;
    encode(text?: string): Uint8Array;
    encodeInto(text: string, bytes: Uint8Array): { read: number; written: number };
  }
  class TextDecoder {
    constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
    readonly encoding: string;
    decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
  }
  class URLSearchParams {
    constructor(init?: string | Record<string, string> | Iterable<[string, string]>);
    append(name: string, value: string): void;
    delete(name: string): void;
    get(name: string): string | null;
    getAll(name: string): string[];
    has(name: string): boolean;
    set(name: string, value: string): void;
    toString(): string;
    [Symbol.iterator](): Iterator<[string, string]>;
  }
  class URL {
    constructor(url: string | URL, base?: string | URL);
    static canParse(url: string, base?: string): boolean;
    hash: string;
    host: string;
    hostname: string;
    href: string;
    readonly origin: string;
    password: string;
    pathname: string;
    port: string;
    protocol: string;
    search: string;
    readonly searchParams: URLSearchParams;
    username: string;
    toString(): string;
  }
}
