/** `fetch` over the host's requests, for whoever names it: as far as the workflow is granted hosts. */
import http from "wf:workflow/http@0.1.0";
import { ask, Failure } from "../failure";
import { parse, stringify } from "../json";
import { TextDecoder, TextEncoder } from "./text";

type Pairs = Iterable<readonly [string, string]>;
type HeadersGiven = Headers | Record<string, string> | Pairs;

export class Headers {
  #all = new Map<string, string>();

  constructor(given: HeadersGiven = []) {
    const pairs = Symbol.iterator in given ? (given as Pairs) : Object.entries(given);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: string, value: string) {
    const before = this.#all.get(name.toLowerCase());
    this.#all.set(name.toLowerCase(), before === undefined ? String(value) : `${before}, ${value}`);
  }

  set(name: string, value: string) {
    this.#all.set(name.toLowerCase(), String(value));
  }

  get(name: string): string | null {
    return this.#all.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#all.has(name.toLowerCase());
  }

  delete(name: string) {
    this.#all.delete(name.toLowerCase());
  }

  forEach(act: (value: string, name: string) => void) {
    for (const [name, value] of this.#all) act(value, name);
  }

  entries() {
    return this.#all.entries();
  }

  keys() {
    return this.#all.keys();
  }

  values() {
    return this.#all.values();
  }

  [Symbol.iterator]() {
    return this.#all.entries();
  }
}

interface Head {
  status: number;
  url: string;
  headers: [string, string][];
}

export class Response {
  readonly status: number;
  readonly statusText = "";
  readonly ok: boolean;
  readonly url: string;
  readonly headers: Headers;
  bodyUsed = false;
  readonly #number: number;

  constructor(number: number, { status, url, headers }: Head) {
    this.#number = number;
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.url = url;
    this.headers = new Headers(headers);
  }

  /** The body as it comes, in parts. */
  async *parts(): AsyncGenerator<Uint8Array> {
    if (this.bodyUsed) throw new TypeError("the body has been read already");
    this.bodyUsed = true;
    let whole = false;
    try {
      for (;;) {
        const part = ask(() => http.read(this.#number));
        if (part == null) break;
        yield Uint8Array.from(part);
      }
      whole = true;
    } finally {
      if (!whole) http.close(this.#number);
    }
  }

  async bytes(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.parts()) parts.push(part);
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** Integers beyond 2^53 come as bigint, as everywhere here. */
  async json(): Promise<any> {
    return parse(await this.text());
  }
}

export interface RequestOptions {
  method?: string;
  headers?: HeadersGiven;
  body?: string | Uint8Array | ArrayBuffer | { toString(): string };
  redirect?: "follow" | "manual";
  /** In milliseconds, to the last byte of the answer. */
  timeout?: number;
  /** A label: the request has the key of `context.idempotencyKey` for it in its header. */
  idempotencyKey?: string;
}

export async function fetch(url: string | { href: string }, options: RequestOptions = {}): Promise<Response> {
  const { method, headers, body, redirect = "follow", timeout, idempotencyKey } = options;
  const given = stringify({
    url: typeof url === "string" ? url : url.href,
    method: method?.toUpperCase(),
    headers: [...new Headers(headers)],
    redirects: redirect === "follow",
    timeout: timeout === undefined ? undefined : timeout / 1000,
    idempotency_key: idempotencyKey,
  });
  const bytes = bytesOf(body);
  const [number, head] = ask(() => http.request(given, bytes));
  return new Response(number, parse(head));
}

function bytesOf(body: RequestOptions["body"]): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype) {
    throw new Failure("TypeError", "a body is a text or bytes: `JSON.stringify` makes a text of an object", { retryable: false });
  }
  return new TextEncoder().encode(String(body));
}
