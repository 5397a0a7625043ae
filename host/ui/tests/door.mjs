// Signing in to the page of a locked server, in a real browser. Called by tests/tests/door.rs with
// the server's URL, a key, and a folder for screenshots.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const base = process.env.WF_HOST_URL;
const key = process.env.WF_HOST_API_KEY;
const shots = process.env.WF_HOST_SHOTS;
mkdirSync(shots, { recursive: true });

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
});

async function open(scheme = "light") {
  const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, colorScheme: scheme });
  const page = await context.newPage();
  page.mistakes = [];
  page.on("console", (message) => {
    if (/content.security.policy/i.test(message.text())) page.mistakes.push(message.text());
  });
  page.on("pageerror", (error) => page.mistakes.push(error.message));
  await page.goto(base);
  return page;
}

async function close(page) {
  assert.deepEqual(page.mistakes, []);
  await page.context().close();
}

const seen = (locator) => locator.waitFor({ state: "visible", timeout: 10_000 });

test("the page asks for a key, in light and dark, and everybody can use it", async () => {
  for (const scheme of ["light", "dark"]) {
    const page = await open(scheme);
    await seen(page.getByRole("heading", { name: "Sign in" }));
    await page.screenshot({ path: `${shots}/sign-in-${scheme}.png` });
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((it) => it.html)]), []);
    await close(page);
  }
});

test("a wrong key is named as such, with the keyboard alone", async () => {
  const page = await open("dark");
  await page.keyboard.type("wfh_wrong");
  await page.keyboard.press("Enter");
  await seen(page.getByRole("alert").filter({ hasText: "The API key is not known" }));
  await page.screenshot({ path: `${shots}/sign-in-wrong.png` });
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await seen(page.getByRole("link", { name: "greeting", exact: true }));
  assert.equal(new URL(page.url()).pathname, "/");
  await close(page);
});

test("whoever has signed in runs workflows and follows them, and signs out", async () => {
  const page = await open();
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "hitl", exact: true }).click();
  const started = await page.evaluate(async () => (await fetch("/workflows/hitl/run-nowait", { method: "POST", body: "{}" })).json());
  assert.equal(started.status, "running");
  await page.goto(`${base}/#/runs/${started.run_id}`);
  await seen(page.locator(".entry", { hasText: "RequestEvent" }).first());
  // The stream comes in as well: it shows what happens now.
  const sent = await page.evaluate(async (handler) => (await fetch(`/events/${handler}`, { method: "POST", body: JSON.stringify({ event: { type: "ResponseEvent", value: { response: "Ada" } } }) })).status, started.handler_id);
  assert.equal(sent, 200);
  await seen(page.locator(".entry", { hasText: "OutEvent" }).first());
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads the cookie");
  await page.screenshot({ path: `${shots}/signed-in.png` });
  await page.getByRole("button", { name: "Sign out" }).click();
  await seen(page.getByRole("heading", { name: "Sign in" }));
  assert.equal((await page.request.get(`${base}/workflows`)).status(), 401);
  await close(page);
});
