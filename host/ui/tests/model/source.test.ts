// Backtraces as the languages write them.

import { expect, test } from "vitest";
import { placeOf, short } from "../../src/model/source";

const WASM = `error while executing at wasm backtrace:
    0:  0x1a2b - flow.wasm!core::panicking::panic
           at /rustc/0123abcd/library/core/src/panicking.rs:75:14
    1:  0x2b3c - flow.wasm!flow::Order::pay::h0123456789abcdef
           at /home/author/.cargo/registry/src/index/serde_json-1.0.1/src/de.rs:20:1
           at /home/author/shop/src/order.rs:41:17
           at /home/author/shop/src/lib.rs:12:9
    2:  0x3c4d - flow.wasm!wf:workflow/steps@0.1.0#invoke`;

const PYTHON = `Traceback (most recent call last):
  File "flow.py", line 9, in pay
    charge(order)
KeyError: 'card'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "flow.py", line 12, in pay
    raise Refused() from error
  File "flow.py", line 30, in __init__
    json.loads(text)
  File "decoder.py", line 355, in raw_decode
flow.Refused: no card`;

const SCRIPT = `TypeError: cannot read property 'x' of undefined
    at price (src/price.ts:14)
    at pay (flow.ts:8)
caused by Error: earlier
    at load (load.ts:3)`;

const GO = `goroutine 1 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:26 +0x5e
example.com/shop/sdk.recovered({0x1, 0x2})
\t/home/author/.cache/wf-host/guest-sdk/go/failure.go:104 +0x1b
panic({0x3, 0x4})
\t/usr/local/go/src/runtime/panic.go:785 +0x132
main.pay(0x5)
\t/home/author/shop/order.go:57 +0x1d
main.main()
\t/home/author/shop/main.go:9 +0x4`;

test("the place is the innermost one of the author's own, in every language", () => {
  const at = (trace: string | null | undefined) => {
    const place = placeOf(trace);
    return place && `${place.file}:${place.line}`;
  };
  expect(at(WASM)).toBe("/home/author/shop/src/order.rs:41");
  expect(at(`panicked at src/lib.rs:12:9\n${WASM}`)).toBe("src/lib.rs:12");
  expect(at(`panicked at /rustc/0123abcd/library/core/src/option.rs:2:9\n${WASM}`)).toBe("/home/author/shop/src/order.rs:41");
  expect(at(PYTHON)).toBe("flow.py:30");
  expect(at(SCRIPT)).toBe("src/price.ts:14");
  expect(at(GO)).toBe("/home/author/shop/order.go:57");
  expect(at("error while executing at wasm backtrace:\n    0:   0x20 - flow.wasm!pay\n           at C:\\shop\\flow.c:7:9")).toBe("C:\\shop\\flow.c:7");
});

test("what names no place of the author's has none", () => {
  for (const trace of [null, undefined, "", "error while executing at wasm backtrace:\n    0:  0x1a2b - flow.wasm!pay", 'File "<string>", line 1, in f', "at 12:30:59 it broke", "x".repeat(200_000)]) expect(placeOf(trace)).toBeUndefined();
});

test("a place is short, in whatever folders it lies", () => {
  expect(short({ file: "/home/author/shop/src/order.rs", line: "41" })).toBe("src/order.rs:41");
  expect(short({ file: "flow.py", line: "30" })).toBe("flow.py:30");
  expect(short({ file: "C:\\shop\\flow.c", line: "7" })).toBe("shop/flow.c:7");
});
