import { expect, test } from "vitest";
import type { PausedStep } from "../../src/api";
import { parse, written } from "../../src/model/json";
import { given, goingOn } from "../../src/model/paused";

const paused = (events: string) => parse(`{"run_id":"r","handler_id":"h","invocation":3,"attempt":0,"step":"price","breakpoint":"price","since":"2026-01-01T00:00:00Z","events":${events}}`) as PausedStep;

test("what waits goes on as it is, unless it was edited", () => {
  const one = paused('[{"type":"Priced","value":{"amount":61695499031416832.0}}]');
  expect(given(one)).toContain("61695499031416832.0");
  expect(written(goingOn(one, undefined))).toBe('{"invocation":3}');
  expect(written(goingOn(one, given(one)))).toBe('{"invocation":3}');
  expect(written(goingOn(one, '{"amount":7.0}'))).toBe('{"invocation":3,"event":{"type":"Priced","value":{"amount":7.0}}}');
});

test("what is too large to be shown, or of several events, is not edited", () => {
  expect(given(paused('[{"type":"Priced","value":null}]'))).toBeUndefined();
  expect(given(paused('[{"type":"A","value":{}},{"type":"B","value":{}}]'))).toBeUndefined();
  expect(given(paused("[]"))).toBeUndefined();
});
