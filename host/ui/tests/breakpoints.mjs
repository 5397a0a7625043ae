// A run that waits at a breakpoint of `wf-host dev`, in a real browser. Called by tests/tests/breakpoints.rs with the server's
// URL and a folder for screenshots.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const base = process.env.WF_HOST_URL;
const shots = process.env.WF_HOST_SHOTS;
mkdirSync(shots, { recursive: true });

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
});

const seen = (locator) => locator.waitFor({ state: "visible", timeout: 10_000 });

test("a breakpoint is set on the page; what waits there is edited, and goes on in another run", async () => {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  const mistakes = [];
  page.on("pageerror", (error) => mistakes.push(error.message));
  await page.goto(`${base}/#/workflows/order?node=price`);
  const toggle = page.getByRole("checkbox", { name: "Pause before price" });
  await seen(toggle);
  const set = page.waitForResponse((it) => it.request().method() === "POST" && it.url().endsWith("/breakpoints"));
  await toggle.click();
  assert.equal((await set).status(), 200);
  const begun = await fetch(`${base}/workflows/order/run-nowait`, { method: "POST", body: JSON.stringify({ start_event: { amount: 5 } }) });
  const run = await begun.json();
  await page.goto(`${base}/#/runs/${run.run_id}`);
  const paused = page.getByRole("region", { name: "Paused before price" });
  await seen(paused);
  await seen(page.locator(".title .status.paused"));
  assert.equal(await paused.getByRole("spinbutton", { name: "Amount" }).inputValue(), "5");
  for (const scheme of ["light", "dark"]) {
    for (const width of [1440, 800]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: `${shots}/paused-${scheme}-${width}.png`, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${wide} pixels too wide at ${width}`);
    }
    const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa"]).analyze();
    assert.deepEqual(found.violations.map((it) => it.id), []);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await paused.getByRole("radio", { name: "JSON" }).click();
  const event = paused.getByLabel("The event's fields as JSON");
  assert.match(await event.inputValue(), /"amount": 5/);
  await event.fill("{");
  assert.ok(await paused.getByRole("button", { name: "Go on" }).isDisabled(), "that is no JSON");
  await event.fill('{"amount": "many"}');
  await paused.getByRole("button", { name: "Go on" }).click();
  await seen(paused.getByText(/should be a valid integer/));
  await paused.getByRole("radio", { name: "Form" }).click();
  await paused.getByLabel("Amount").and(page.locator("input")).fill("7");
  await paused.getByRole("button", { name: "Go on" }).click();
  await seen(page.getByText("forked from"));
  assert.ok(!page.url().includes(run.run_id), "it is another run");
  await seen(page.locator(".title .status.completed"));
  await seen(page.getByText("[7,5]").or(page.getByText("[7, 5]")).first());
  await page.goto(`${base}/#/runs/${run.run_id}`);
  await seen(page.locator(".title .status.cancelled"));
  // As it is.
  const second = await (await fetch(`${base}/workflows/order/run-nowait`, { method: "POST", body: JSON.stringify({ start_event: { amount: 5 } }) })).json();
  await page.goto(`${base}/#/runs/${second.run_id}`);
  await paused.getByRole("button", { name: "Go on" }).click();
  await seen(page.locator(".title .status.completed"));
  assert.equal(await paused.count(), 0);
  assert.deepEqual(mistakes, []);
  await page.context().close();
});
