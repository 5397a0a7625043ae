// The page in a real browser, against a real server. Called by tests/tests/ui.rs with the server's
// URL and a folder for screenshots.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const base = process.env.WF_HOST_URL;
/** Another server, where the journal of the handler `broken` does not fit. */
const damaged = process.env.WF_HOST_DAMAGED;
/** Another server, known outside below `/wf/`. */
const below = process.env.WF_HOST_BELOW;
/** Another server, which shows the failed run of a file. */
const opened = process.env.WF_HOST_OPENED;
const shots = process.env.WF_HOST_SHOTS;
mkdirSync(shots, { recursive: true });

let browser;
const outside = [];
const mistakes = [];
const runs = {};

const post = async (path, body = {}) => {
  const answer = await fetch(base + path, { method: "POST", body: JSON.stringify(body) });
  return answer.json();
};
const begin = async (name, start_event = {}) => post(`/workflows/${name}/run-nowait`, { start_event });
const end = async (name, start_event = {}) => (await post(`/workflows/${name}/run`, { start_event })).run_id;

async function open(path, { width = 1440, height = 900, scheme = "light", server = base } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, acceptDownloads: true });
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(server) && !/^(data|blob):/.test(request.url())) outside.push(request.url());
  });
  page.on("console", (message) => {
    if (/content.security.policy/i.test(message.text())) mistakes.push(`${path}: ${message.text()}`);
  });
  page.on("pageerror", (error) => mistakes.push(`${path}: ${error.message}`));
  await page.goto(`${server}/${path}`);
  return page;
}

/** Goes to another view of a page that is there, and waits until it is drawn. */
const visit = (page, path) =>
  page.evaluate(async (hash) => {
    if (location.hash === hash) return;
    await new Promise((done) => {
      window.addEventListener("hashchange", () => window.setTimeout(done), { once: true });
      location.hash = hash;
    });
  }, path);

/** The run that a page shows after this one. */
async function another(page, before) {
  await page.waitForFunction((before) => /^#\/runs\/\w+/.test(location.hash) && !location.hash.includes(before), before);
  return new URL(page.url()).hash.split(/[/?]/)[2];
}

const seen = (locator) => locator.waitFor({ state: "visible", timeout: 10_000 });
const text = (page, words) => page.getByText(words).first();

const launch = (options = {}) => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"], ...options });

before(async () => {
  browser = await launch();
  runs.greeting = await end("greeting", { name: "Ada" });
  runs.other = await end("greeting", { name: "Grace" });
  runs.retry = await end("retry");
  runs.fanout = await end("fanout", { n: 12 });
  runs.failed = await end("trap");
  runs.counter = await end("counter", { by: 3 });
});

after(async () => {
  await browser?.close();
});

test("1 workflows: each with what it is, what it asks for, and a load error in full", async () => {
  const page = await open("");
  await seen(page.getByRole("link", { name: "greeting", exact: true }));
  await seen(text(page, "Greets by name."));
  const broken = page.getByRole("alert").filter({ hasText: "it is not WebAssembly" });
  await seen(broken);
  assert.match(await broken.innerText(), /Not loaded[\s\S]*give the `\.wasm` file that your build wrote/);
  await page.getByRole("link", { name: "greeting", exact: true }).click();
  await page.locator("summary", { hasText: "imports, and what answers them" }).click();
  await seen(text(page, "wf:workflow/events@0.1.0"));
  await seen(text(page, "granted: the context of a step"));
  const granted = page.getByRole("region", { name: "What it asks for" }).getByRole("row");
  const rows = (await granted.allInnerTexts()).map((row) => row.trim().split(/\s+/).join(" "));
  assert.match(rows.join("; "), /^Of the outside Asked for Granted; http no nothing; files no nothing; variables (yes|no) nothing; sockets no never$/i);
  await page.locator('[data-id="greet"]').click();
  await seen(page.getByRole("heading", { name: "greet", exact: true }));
  assert.match(page.url(), /node=greet/);
  await page.context().close();
});

/** Somebody who has never seen the page, and acts on what it shows: counts what they do, a click or a field that is filled. */
function visitor(page) {
  const begun = Date.now();
  return {
    actions: 0,
    async click(locator) {
      await seen(locator);
      this.actions++;
      await locator.click();
    },
    async fill(locator, words) {
      await seen(locator);
      this.actions++;
      await locator.fill(words);
    },
    /** Where they need two seconds to find what comes next. */
    seconds() {
      return this.actions * 2 + (Date.now() - begun) / 1000;
    },
    /** The line of a workflow, on the first page. */
    line: (name) => page.locator(".home > li").filter({ has: page.getByRole("link", { name, exact: true }) }),
  };
}

test("1 from the first page: a run is answered with three actions, another says with one why it failed, and is forked with a mended event with three more", async (context) => {
  await begin("hitl");
  await end("greeting", { name: "Ada", delay: 1e30 });
  const page = await open("");
  const answering = visitor(page);
  await answering.click(answering.line("hitl").getByRole("link", { name: /1 waiting/ }));
  const wait = page.getByRole("region", { name: "Waiting for ResponseEvent" });
  await answering.fill(wait.getByRole("textbox"), "Ada");
  await answering.click(wait.getByRole("button", { name: "Send ResponseEvent" }));
  await seen(page.getByRole("region", { name: /^Result/ }).getByText("Hello, Ada"));
  assert.equal(answering.actions, 3);

  await page.goto(`${base}/`);
  const finding = visitor(page);
  await seen(finding.line("greeting").getByRole("img", { name: /The last \d+ runs: \d+ completed, 1 failed/ }));
  await finding.click(finding.line("greeting").getByRole("link", { name: /^✗ cannot convert/ }));
  const why = page.getByRole("region", { name: "Why it failed" });
  await seen(why);
  // The step, the message and what it was given, without another click.
  assert.match(await why.innerText(), /in step greet[\s\S]*cannot convert float[\s\S]*What the step was given: StartEvent {"name":"Ada","delay":1e\+?30}/);
  assert.equal(finding.actions, 1);

  await finding.click(why.getByRole("button", { name: "Try again from this step" }));
  // What is to be mended has the focus.
  const event = page.getByRole("dialog").locator(".event-form").locator("input, textarea").first();
  await event.and(page.locator(":focus")).waitFor();
  await finding.fill(event, '{"name": "Ada"}');
  await finding.click(page.getByRole("dialog").getByRole("button", { name: "Fork", exact: true }));
  await seen(page.getByRole("region", { name: "Result" }).getByText("Hello, Ada!"));
  assert.equal(finding.actions, 4);
  context.diagnostic(`measured: answered in ${answering.seconds().toFixed(1)} s, found and forked in ${finding.seconds().toFixed(1)} s, two seconds an action`);
  // The other button leads there, too: from the end there is nowhere to go.
  await page.goBack();
  await page.locator(".title").getByRole("button", { name: "Fork", exact: true }).click();
  await seen(page.getByRole("dialog", { name: "Fork from greet" }).getByLabel("The event's fields as JSON"));
  await page.context().close();
});

test("1 workflows: the lines stand still under a pointer, and take their places once it rests", async () => {
  const page = await open("");
  const lines = page.locator(".home > li h2");
  await seen(lines.nth(5));
  const before = await lines.allInnerTexts();
  const line = page.locator(".home > li").filter({ has: page.getByRole("link", { name: "counter", exact: true }) });
  assert.equal(await line.getAttribute("data-standing"), "sound");
  const aim = setInterval(() => page.mouse.move(400 + Math.random() * 9, 300).catch(() => undefined), 500);
  await end("counter", { by: "no number" });
  await page.waitForFunction(() => [...document.querySelectorAll(".home > li")].some((it) => it.dataset.standing === "failing" && it.querySelector("h2").innerText === "counter"));
  const after = await lines.allInnerTexts();
  clearInterval(aim);
  assert.deepEqual(after, before);
  await page.waitForFunction((before) => [...document.querySelectorAll(".home > li h2")].findIndex((it) => it.innerText === "counter") < before, before.indexOf("counter"));
  await page.context().close();
});

test("1 workflows: those that are not loaded come first, then those that fail, then those that wait", async () => {
  await end("failing", { message: "no such customer" });
  await begin("hitl");
  const page = await open("");
  await page.waitForFunction(() => {
    const all = [...document.querySelectorAll(".home > li")].map((it) => it.dataset.standing);
    const places = ["broken", "failing", "waiting", "sound"].map((it) => all.indexOf(it));
    return places.every((it) => it >= 0) && places.every((it, at) => at === 0 || it > places[at - 1]) && all.lastIndexOf("failing") < all.indexOf("waiting");
  });
  // How many have failed leads to them, and there is a way to run each.
  await end("failing", { message: "no such customer" });
  const failing = page.locator(".home > li").filter({ has: page.getByRole("link", { name: "failing", exact: true }) });
  await failing.getByRole("link", { name: /2 failed/ }).click();
  await seen(page.getByLabel("The runs").getByRole("row").nth(1));
  assert.equal(await page.getByLabel("The runs").getByRole("row").count(), 2);
  await page.goBack();
  await page.getByRole("link", { name: "Run fanout" }).click();
  await seen(page.getByRole("button", { name: "Start", exact: true }));
  assert.match(page.url(), /#\/workflows\/fanout$/);
  await page.goBack();
  // What failed last stands there, and leads to it.
  await page.locator(".home > li", { hasText: "no such customer" }).getByRole("link", { name: /no such customer/ }).click();
  await seen(page.getByRole("region", { name: "Why it failed" }));
  await page.context().close();
});

test("2 graph: fitted and never cut off; nodes are dragged with their edges, kept and tidied; it is exported whole", async () => {
  const page = await open("#/workflows/fanout");
  const nodes = page.locator(".node");
  await seen(nodes.first());
  const box = await page.locator(".graph").boundingBox();
  for (const node of await nodes.all()) {
    const at = await node.boundingBox();
    assert.ok(at.x >= box.x && at.y >= box.y && at.x + at.width <= box.x + box.width && at.y + at.height <= box.y + box.height);
  }
  const work = page.locator('.node[data-id="work"]');
  const wire = page.locator('[data-wire="WorkEvent→work"]');
  const [from, path] = [await work.boundingBox(), await wire.getAttribute("d")];
  await page.mouse.move(from.x + 20, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(from.x + 70, from.y + 90, { steps: 6 });
  assert.notEqual(await wire.getAttribute("d"), path, "the edge follows while it is dragged");
  await page.mouse.up();
  const places = () => page.evaluate(() => JSON.parse(localStorage.getItem("wf-host places fanout")));
  const kept = (await places()).work;
  await page.reload();
  await seen(work);
  assert.deepEqual((await places()).work, kept);
  await page.getByRole("button", { name: "Tidy" }).click();
  assert.equal(await places(), null);
  assert.equal(await wire.getAttribute("d"), path);
  const files = {};
  for (const kind of ["SVG", "PNG"]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: kind }).click()]);
    assert.equal(download.suggestedFilename(), `fanout.${kind.toLowerCase()}`);
    files[kind] = readFileSync(await download.path());
  }
  const svg = files.SVG.toString();
  assert.equal(svg.match(/<path class="wire"/g).length, await page.locator(".wire").count());
  for (const name of ["dispatch", "WorkEvent", "work", "DoneEvent", "collect"]) assert.match(svg, new RegExp(`<text [^>]*fill="#[0-9a-f]{6}"[^>]*>${name}</text>`));
  // As a picture: as large as it says, and not of one colour.
  const drawn = await page.evaluate(async (bytes) => {
    const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const colours = new Set(new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer));
    return { width: image.width, colours: colours.size };
  }, [...files.PNG]);
  assert.ok(drawn.width >= 200 && drawn.colours > 10, JSON.stringify(drawn));
  await page.context().close();
});

test("2 graph: no text below 11 pixels at any size; one stop of the Tab key, arrows within", async () => {
  for (const [name, width] of [["large", 1440], ["large", 390], ["fanout", 800]]) {
    const page = await open(`#/workflows/${name}`, { width });
    await seen(page.locator(".node").first());
    const smallest = () =>
      page.evaluate(() => {
        const all = [...document.querySelectorAll(".scene text")].filter((it) => it.checkVisibility());
        return Math.min(99, ...all.map((it) => Number.parseFloat(getComputedStyle(it).fontSize) * it.getScreenCTM().a));
      });
    assert.ok((await smallest()) >= 10.99, `${name} at ${width}: ${await smallest()}`);
    assert.ok((await smallest()) < 99, "its names are there");
    await page.getByRole("button", { name: "Fit" }).click();
    for (let at = 0; at < 3; at++) {
      await page.getByRole("button", { name: "Smaller" }).click();
      assert.ok((await smallest()) >= 10.99, `${name} at ${width}: ${await smallest()}`);
    }
    await page.context().close();
  }
  const page = await open("#/workflows/fanout");
  await seen(page.locator(".node").first());
  assert.equal(await page.locator('.node[tabindex="0"]').count(), 1);
  await page.locator('.node[data-id="FanStart"]').focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("data-id")), "dispatch");
  assert.equal(await page.locator('.node[tabindex="0"]').count(), 1);
  await page.keyboard.press("Enter");
  await seen(page.getByRole("heading", { name: "dispatch", exact: true }));
  await page.goBack();
  await seen(page.getByRole("heading", { name: "Steps and events" }));
  await page.context().close();
});

test("2 graph: what a step may return without naming it is dashed", async () => {
  const page = await open("#/workflows/echo");
  const dashes = async (id) => page.locator(`[data-wire="${id}"]`).evaluate((it) => getComputedStyle(it).strokeDasharray);
  await seen(page.locator(".node").first());
  assert.equal(await page.locator(".wire").count(), 5);
  for (const id of ["repeat→LaterEvent", "repeat→StopEvent"]) assert.notEqual(await dashes(id), "none", id);
  for (const id of ["StartEvent→repeat", "LaterEvent→later", "later→StopEvent"]) assert.equal(await dashes(id), "none", id);
  await page.context().close();
});

test("2 graph: a workflow of several languages says which of them each step is in, and so do its runs", async () => {
  const answer = await fetch(`${base}/workflows/order/run`, { method: "POST", body: '{"start_event":{"guest":"Ada","item":"tea"}}' });
  for (const path of ["#/workflows/order", `#/runs/${(await answer.json()).run_id}`]) {
    const page = await open(path);
    for (const [step, language] of [["take", "typescript"], ["price", "rust"], ["serve", "c"]]) {
      const node = page.locator(`.node[data-id="${step}"]`);
      await seen(node.getByText(language, { exact: true }));
      assert.ok((await node.getAttribute("aria-label")).startsWith(`${step}: ${language}`), path);
    }
    await page.context().close();
  }
});

test("3 run it: a form from the schema, in step with the JSON; wrong input is said at its field; earlier inputs are at hand", async () => {
  const page = await open("#/workflows/fanout");
  const field = page.getByRole("spinbutton", { name: "n" });
  await seen(field);
  assert.equal(await field.inputValue(), "3");
  await field.fill("2000");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await seen(text(page, /must be at most 1000/));
  // The first problem has the focus.
  await page.waitForFunction(() => document.activeElement?.matches('.event-form input[type="number"]'));
  await field.fill("4");
  await page.getByRole("radio", { name: "JSON" }).click();
  const raw = page.getByLabel("The event's fields as JSON");
  assert.deepEqual(JSON.parse(await raw.inputValue()), { n: 4 });
  await raw.fill('{"n": 5');
  assert.equal(await raw.getAttribute("aria-invalid"), "true");
  await raw.fill('{"n": 5}');
  await page.getByRole("radio", { name: "Form" }).click();
  assert.equal(await field.inputValue(), "5");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await seen(text(page, "✓ Result"));
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("link", { name: "Edit and run" }).click();
  await seen(field);
  assert.equal(await field.inputValue(), "5");
  await seen(page.getByRole("option", { name: '{"n":5}' }).or(page.locator("option", { hasText: '{"n":5}' })).first().locator("xpath=.."));
  await page.context().close();
});

test("3 a form has a field for every kind of value, all of them with the page's look", async () => {
  for (const scheme of ["light", "dark"]) {
    const page = await open("#/workflows/form", { scheme, height: 1800 });
    const form = page.locator(".event-form");
    await seen(form.locator('input[type="date"]'));
    const fields = await form.locator("input, select, textarea").evaluateAll((all) => {
      const [body, card] = [getComputedStyle(document.body), getComputedStyle(document.querySelector(".panel")).backgroundColor];
      return all.map((it) => {
        const button = it.type === "file" ? getComputedStyle(it, "::file-selector-button") : getComputedStyle(it);
        const drawn = ["checkbox", "radio"].includes(it.type) || (button.borderRadius === "6px" && button.borderTopWidth === "1px" && button.backgroundColor === card && button.fontFamily === body.fontFamily && button.color === body.color);
        const named = it.labels?.length > 0 || it.closest("[role=radiogroup], .checkboxes") !== null;
        return { type: it.type, drawn, named };
      });
    });
    const types = new Set(fields.map((it) => it.type));
    for (const type of ["text", "number", "radio", "checkbox", "select-one", "date", "datetime-local", "time", "email", "url", "password", "color", "file"]) assert.ok(types.has(type), `${type} of ${[...types]}`);
    assert.deepEqual(fields.filter((it) => !it.drawn || !it.named), [], scheme);
    // In the order in which they are declared.
    const declared = Object.keys((await (await fetch(`${base}/api/v1/workflows/form`)).json()).schemas.StartEvent.properties);
    const names = await form.locator(":is(.fields > .field > label, .fields > .field > fieldset > legend, .fields > .field.check label)").allInnerTexts();
    assert.deepEqual(names.map((it) => it.replace(/ \*$/, "")), declared);
    await form.getByRole("button", { name: "Add to names" }).click();
    await form.getByRole("button", { name: "Remove" }).last().click();
    // What may be nothing is a field that may be empty; what may be either says so in words.
    assert.ok(await form.getByLabel("zip").and(page.locator("input")).isVisible());
    assert.deepEqual(await form.getByLabel("Kind of value").locator("option").allInnerTexts(), ["a whole number", "a text"]);
    await form.getByRole("checkbox", { name: "large" }).check();
    await form.getByRole("button", { name: "Start", exact: true }).click();
    await seen(form.locator(".field-error", { hasText: "is needed" }));
    await form.getByLabel("Yes").check();
    await page.screenshot({ path: `${shots}/form-${scheme}-1440.png`, fullPage: true });
    const { violations } = await new AxeBuilder({ page }).include(".event-form").withTags(["wcag2a", "wcag2aa", "wcag21aa"]).analyze();
    assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).slice(0, 3).join(" ")}`), []);
    await form.getByRole("button", { name: "Start", exact: true }).click();
    await seen(page.getByRole("region", { name: /Result/ }));
    await page.context().close();
  }
});

test("4 a run: result, events after the fact, timeline, state, logs, and any moment of it", async () => {
  const page = await open(`#/runs/${runs.fanout}`);
  await seen(text(page, "✓ Result"));
  await seen(page.locator(".node.returned", { hasText: "work" }));
  assert.match(await page.locator('.node[data-id="work"]').textContent(), /12/);
  // A lane for each step, which opens.
  assert.equal(await page.locator(".lane-row").count(), 3);
  await page.getByRole("button", { name: /work.*×12/ }).click();
  assert.ok((await page.locator(".lane-row").count()) > 5);
  // The journal comes first: when, who, what, and with what.
  await seen(page.getByRole("tab", { name: "Journal", selected: true }));
  assert.match(await page.locator(".entry .time").first().innerText(), /^\+0\.000$/);
  await page.getByLabel("Search the journal").fill('"square":121');
  await seen(page.locator(".entry").filter({ hasText: /work.*returned.*DoneEvent.*"square":121/ }));
  await page.getByLabel("Search the journal").fill("");
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByLabel("internal").check();
  await seen(text(page, "StepStateChanged"));
  await page.getByLabel("Search the events").fill("StopEvent");
  await page.locator(".event button").filter({ hasText: "StopEvent" }).first().click();
  assert.match(page.url(), /event=\d+/);
  await page.reload();
  await seen(page.locator(".event.picked"));
  assert.match(await page.locator(".event.picked .time").innerText(), /^\+\d/);
  // The slider moves everything.
  await page.getByLabel("Moment of the run").focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => location.hash.includes("at=0"));
  await seen(page.locator(".node.executing", { hasText: "dispatch" }));
  await page.locator("button.lane-name").first().click();
  await seen(page.getByRole("heading", { name: /dispatch/ }));
  await page.getByRole("tab", { name: "State" }).click();
  await seen(text(page, "Nothing is kept in it."));
  await page.getByRole("button", { name: "Go to newest" }).click();
  await seen(page.locator(".tab .json"));
  // A node that is chosen lets go again.
  await page.locator('.node[data-id="collect"]').click();
  await seen(page.getByRole("heading", { name: /collect/ }));
  await page.locator("button.lane-name").first().click();
  await seen(page.getByRole("heading", { name: /dispatch/ }));
  // What came of a step stands with it.
  await page.locator('.node[data-id="work"]').click();
  await seen(page.getByRole("group", { name: "Output DoneEvent" }));
  // Back goes through selections and tabs.
  await page.getByRole("tab", { name: "Events" }).click();
  await seen(page.getByRole("tab", { name: "Events", selected: true }));
  await page.goBack();
  await seen(page.getByRole("heading", { name: /work/ }));
  await page.goBack();
  await seen(page.getByRole("heading", { name: /dispatch/ }));
  await page.context().close();
});

test("4 payloads are shown and sent as they came: long numbers, `1.0` and the order of keys", async () => {
  const event = '{"n":12345678901234567890123,"f":1.0,"2":18446744073709551616,"1":"é","result":{"b":1.50,"10":9007199254740993,"a":[1e2]}}';
  const raw = async (path, init) => (await fetch(base + path, init)).text();
  const first = JSON.parse(await raw("/workflows/echo/run", { method: "POST", body: `{"start_event":${event}}` })).run_id;
  const began = async (id) => /"events":\[{"type":"StartEvent","value":(.*?),"size":/.exec(await raw(`/api/v1/runs/${id}/history`))[1];
  assert.equal(await began(first), event);
  /** What the run that the page shows next began with. */
  const next = async (page, before) => {
    await page.waitForFunction((before) => /^#\/runs\/\w+$/.test(location.hash) && !location.hash.endsWith(before), before);
    const id = new URL(page.url()).hash.split("/").at(-1);
    return { id, event: await began(id) };
  };
  const page = await open(`#/runs/${first}`);
  const result = page.getByRole("region", { name: "Result" });
  await seen(result.getByText("9007199254740993"));
  assert.match(await result.innerText(), /b: 1\.50\s+10: 9007199254740993\s+▾\s*a: \[\s+0: 1e2/);
  await page.locator("button.lane-name").first().click();
  const given = page.getByRole("group", { name: "Input StartEvent" });
  await seen(given);
  assert.match(await given.innerText(), /n: 12345678901234567890123\s+f: 1\.0\s+2: 18446744073709551616\s+1: "é"/);
  await page.getByRole("tab", { name: "Events" }).click();
  await seen(page.locator(".event .brief", { hasText: '"_data":{"n":12345678901234567890123,"f":1.0,"2":18446744073709551616,"1":"é"}' }));
  await page.getByRole("button", { name: "Run again" }).click();
  const again = await next(page, first);
  assert.equal(again.event, event);
  await page.goto(`${base}/#/runs?workflow=echo`);
  await page.getByLabel(`Choose ${first}`).check();
  const newest = page.locator(".tr:not(.head) a").first();
  await seen(newest);
  assert.equal(await newest.innerText(), again.id);
  await page.getByRole("button", { name: "Run again" }).click();
  await seen(newest.filter({ hasNotText: again.id }));
  assert.equal(await began(await newest.innerText()), event);
  // Through the form: what nobody touches, and one number beside it.
  await page.goto(`${base}/#/runs/${again.id}`);
  await page.getByRole("link", { name: "Edit and run" }).click();
  const field = page.getByRole("spinbutton", { name: "n" });
  await seen(field);
  assert.equal(await field.inputValue(), "12345678901234567890123");
  assert.equal(await page.getByLabel(/^f/).and(page.locator("input")).inputValue(), "1.0");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  const same = await next(page, again.id);
  assert.equal(same.event, event);
  await page.getByRole("link", { name: "Edit and run" }).click();
  await field.fill("");
  await field.pressSequentially("9223372036854775807");
  await page.getByRole("radio", { name: "JSON" }).click();
  assert.match(await page.getByLabel("The event's fields as JSON").inputValue(), /^{\n {2}"n": 9223372036854775807,\n {2}"f": 1\.0,\n {2}"2": /);
  await page.getByRole("radio", { name: "Form" }).click();
  await page.getByLabel(/^f/).and(page.locator("input")).fill("");
  await page.getByLabel(/^f/).and(page.locator("input")).pressSequentially("2.50");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  assert.equal((await next(page, same.id)).event, event.replace("12345678901234567890123", "9223372036854775807").replace('"f":1.0', '"f":2.50'));
  // As the browser keeps it for the next time.
  await page.goto(`${base}/#/workflows/echo`);
  await page.getByLabel("Before").selectOption({ label: event });
  await page.waitForFunction(() => document.querySelector('.event-form input[type="number"]')?.value === "12345678901234567890123");
  await page.context().close();
});

test("4 a failed run says why: message, step, input and backtrace", async () => {
  const page = await open(`#/runs/${runs.failed}`);
  const why = page.getByRole("region", { name: "Why it failed" });
  await seen(why);
  assert.match(await why.innerText(), /panic in step panic[\s\S]*it broke/);
  await why.locator("summary", { hasText: "Backtrace" }).click();
  await seen(why.locator(".trace"));
  await why.getByRole("button", { name: "panic" }).click();
  await seen(page.getByRole("tab", { name: "Step", selected: true }));
  await page.context().close();
});

test("4 a run is forked from a moment with the event mended in its form; both say so", async () => {
  const origin = await end("fanout", { n: 2 });
  const page = await open(`#/runs/${origin}?at=0`);
  await page.locator(".entry.picked").getByRole("button", { name: "Fork from here" }).click();
  const form = page.getByRole("dialog", { name: "Fork from here" });
  const field = form.getByRole("spinbutton", { name: "n" });
  await seen(field);
  assert.equal(await field.inputValue(), "2");
  await field.fill("2000");
  await form.getByRole("button", { name: "Fork", exact: true }).click();
  await seen(form.getByText(/must be at most 1000/));
  await field.fill("4");
  await form.getByRole("button", { name: "Fork", exact: true }).click();
  const fork = (runs.forked = await another(page, origin));
  const result = page.getByRole("region", { name: "Result" });
  await seen(result.getByText("9", { exact: true }));
  await page.locator(".facts").filter({ hasText: "forked from" }).getByRole("link", { name: origin }).click();
  await seen(page.locator(".facts").filter({ hasText: "forked to" }).getByRole("link", { name: fork }));
  assert.match(await result.innerText(), /0: 0\s+1: 1/);
  assert.doesNotMatch(await result.innerText(), /2: 4/);
  // With the state in another form, from the end of the first step on: four are gathered where two were asked for.
  await page.getByLabel("Search the journal").fill("dispatch");
  await page.locator(".entry").filter({ hasText: /dispatch.*returned/ }).locator("button").first().click();
  await page.locator(".entry.picked").getByRole("button", { name: "Fork from here" }).click();
  await form.locator("summary", { hasText: "State" }).click();
  const state = form.getByLabel("The state as JSON");
  await state.fill('{"n": ');
  await seen(form.locator(".field-error"));
  await state.fill('{"n": 1}');
  await form.getByRole("button", { name: "Fork", exact: true }).click();
  await another(page, origin);
  await seen(result);
  assert.doesNotMatch(await result.innerText(), /1: 1/);
  await page.context().close();
});

test("4 a failed run is tried again from its step: as it was, and with the event mended and today's code", async () => {
  const origin = await end("greeting", { name: "Ada", delay: 1e30 });
  const page = await open(`#/runs/${origin}`);
  const why = page.getByRole("region", { name: "Why it failed" });
  const form = page.getByRole("dialog", { name: "Try again from this step" });
  await why.getByRole("button", { name: "Try again from this step" }).click();
  await form.getByRole("button", { name: "Fork", exact: true }).click();
  const again = await another(page, origin);
  await seen(why);
  await why.getByRole("button", { name: "Try again from this step" }).click();
  await form.getByRole("radio", { name: "today's code" }).check();
  const event = form.getByLabel("The event's fields as JSON");
  assert.deepEqual(JSON.parse(await event.inputValue()), { name: "Ada", delay: 1e30 });
  await event.fill('{"name": "Ada"}');
  await form.getByRole("button", { name: "Fork", exact: true }).click();
  const mended = await another(page, again);
  await seen(page.getByRole("region", { name: "Result" }).getByText("Hello, Ada!"));
  const facts = page.locator(".facts");
  await facts.filter({ hasText: "forked from" }).getByRole("link", { name: again }).click();
  await seen(facts.filter({ hasText: "forked to" }).getByRole("link", { name: mended }));
  await facts.filter({ hasText: "forked from" }).getByRole("link", { name: origin }).click();
  await seen(facts.filter({ hasText: "forked to" }).getByRole("link", { name: again }));
  await page.context().close();
});

test("4 the line of the source at which a step failed stands with why it failed, and with the step", async () => {
  const panicked = await open(`#/runs/${runs.failed}`);
  await seen(panicked.getByRole("region", { name: "Why it failed" }).locator(".where", { hasText: /^at src\/lib\.rs:\d+$/ }));
  await panicked.context().close();
  // Of what the component tells itself.
  const page = await open(`#/runs/${await end("traced")}`);
  const why = page.getByRole("region", { name: "Why it failed" });
  await seen(why.locator(".where", { hasText: "at author/flow.c:7" }));
  await why.getByRole("button", { name: "only" }).click();
  await seen(page.getByRole("tabpanel").locator(".where", { hasText: "at author/flow.c:7" }));
  await page.context().close();
});

test("4 a hundred thousand lines of a log come in parts, are drawn as far as they are seen, and searched", async (context) => {
  const run = await end("talker", { newlines: 12_500, times: 8 });
  const page = await open(`#/runs/${run}?tab=logs`);
  const parts = [];
  page.on("response", (response) => /\/logs\?/.test(response.url()) && parts.push(new URL(response.url()).searchParams.get("after")));
  // What keeps the page from answering, from here on.
  await page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((it) => (window.longest = Math.max(window.longest, it.duration)))).observe({ type: "longtask", buffered: true });
  });
  const count = page.getByRole("tabpanel").getByRole("status");
  await count.filter({ hasText: /^100002 of 100002$/ }).waitFor({ timeout: 30_000 });
  assert.equal(new Set(parts).size, parts.length, "no part is read twice");
  assert.ok((await page.locator(".lines .drawn").count()) < 200, "only what is seen is drawn");
  await page.getByLabel("Search the logs").fill("begun on");
  await count.filter({ hasText: /^1 of 100002$/ }).waitFor();
  assert.match(await page.locator(".lines .drawn").innerText(), /\d\d:\d\d:\d\d\.\d{3} info talk #0 begun on stdout/);
  await page.getByLabel("Search the logs").fill("");
  await page.getByLabel("Level").selectOption("error");
  await seen(text(page, "None fits."));
  await page.getByLabel("Level").selectOption("trace");
  await page.getByLabel("Step", { exact: true }).selectOption("talk");
  await count.filter({ hasText: /^12502 of 100002$/ }).waitFor();
  const longest = await page.evaluate(() => window.longest);
  context.diagnostic(`measured: 100,000 lines of a log: the page stands still for ${longest.toFixed(0)} ms at most`);
  await page.context().close();
});

test("4 a run whose journal does not fit says so, for itself alone", async () => {
  const run = async (handler) => (await (await fetch(`${damaged}/handlers/${handler}`)).json()).run_id;
  const [broken, sound] = [await run("broken"), await run("sound")];
  const page = await open(`#/runs/${broken}`, { server: damaged });
  const problem = page.getByRole("alert").filter({ hasText: "What happened in it cannot be shown" });
  await seen(problem);
  const told = `Run '${broken}' cannot be read: entry 0 of the journal has form 9, and this build knows form 1: it was written by another version`;
  assert.equal(await problem.locator("pre").innerText(), told);
  await seen(page.getByRole("heading", { name: `hitl ${broken}` }));
  await page.getByRole("button", { name: "Run again" }).click();
  await seen(page.getByRole("alert").filter({ hasText: "What it began with is not known" }));
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForFunction((told) => [...document.querySelectorAll('[role="alert"] pre')].filter((it) => it.innerText === told).length === 2, told);
  for (const [scheme, width] of [["light", 1440], ["dark", 800]]) {
    const other = await open(`#/runs/${broken}`, { server: damaged, scheme, width });
    await seen(other.getByRole("alert"));
    await other.screenshot({ path: `${shots}/damaged-${scheme}-${width}.png`, fullPage: true });
    await other.context().close();
  }
  await page.goto(`${damaged}/#/runs`);
  await seen(page.getByRole("link", { name: broken }));
  await page.getByRole("link", { name: sound }).click();
  await seen(page.locator(".node.returned", { hasText: "prompt_human" }));
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.getByRole("tab", { name: "Send" }).click();
  await page.getByRole("tabpanel").getByRole("textbox", { name: /response/i }).fill("Ada");
  await page.getByRole("tabpanel").getByRole("button", { name: "Send", exact: true }).click();
  await seen(text(page, "Hello, Ada"));
  await page.context().close();
});

test("5 human in the loop: what is waited for, until when, and its form; another event by hand", async () => {
  const run = await begin("waiter");
  const page = await open(`#/runs/${run.run_id}`);
  const wait = page.getByRole("region", { name: "Waiting for AnswerEvent" });
  await seen(wait);
  await seen(page.locator(".title .status.waiting"));
  assert.match(await wait.innerText(), /since .* until .* left/s);
  await seen(page.locator(".node.waiting"));
  await seen(page.locator('.node[data-id="AnswerEvent"]'));
  const edge = page.locator('[data-wire="AnswerEvent→ask"]');
  assert.equal(await edge.and(page.locator(".unused")).count(), 1);
  await page.getByRole("tab", { name: "Send" }).click();
  await seen(page.getByRole("tabpanel").getByRole("button", { name: "Send", exact: true }));
  await wait.getByLabel(/answer/i).and(page.locator("input")).fill("42");
  await wait.getByRole("button", { name: "Send AnswerEvent" }).click();
  await seen(text(page, "✓ Result"));
  assert.match(await page.getByRole("region", { name: "Result" }).innerText(), /42/);
  await edge.and(page.locator(".flowed")).waitFor({ state: "attached" });
  await page.context().close();
});

/** What a page sends as answers from here on: their keys and bodies, and a promise of what became of them all. */
function answers(page) {
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && /\/events\//.test(request.url()) && sent.push(request));
  return {
    all: () => sent.map((it) => ({ key: it.headers()["idempotency-key"], body: it.postDataJSON() })),
    arrived: () => Promise.all(sent.map((it) => it.response())),
  };
}

const history = async (run) => (await fetch(`${base}/api/v1/runs/${run}/history?limit=1000`)).json();
const told = async (run) => (await (await fetch(`${base}/api/v1/runs/${run}`)).json()).result.value.result;

test("5 many waits are a list at the top, one of them open at a time; its answer goes to it alone", async () => {
  const run = await begin("subtypes");
  for (let number = 2; number <= 12; number++) await post(`/events/${run.handler_id}`, { event: { type: "Order", value: { number } } });
  const page = await open(`#/runs/${run.run_id}`);
  const asked = page.getByRole("region", { name: /^Waiting for/ });
  const list = asked.getByRole("list", { name: "Questions" }).getByRole("button");
  await seen(asked.getByText("12 answers are waited for"));
  assert.equal(await list.count(), 12);
  const [top, graph, tabs] = await Promise.all([asked, page.locator(".graph-panel"), page.locator(".side")].map((it) => it.boundingBox()));
  assert.ok(top.y + top.height <= graph.y && top.y + top.height <= tabs.y, "above all else");
  for (const place of [0, 7, 2]) {
    await list.nth(place).click();
    const [name] = /#\d+/.exec(await list.nth(place).innerText());
    await seen(asked.locator(".question").filter({ hasText: `take ${name} waits for` }));
    assert.equal(await asked.locator(".event-form").count(), 1);
    assert.deepEqual(await asked.getByRole("button", { pressed: true }).allInnerTexts(), [await list.nth(place).innerText()]);
  }
  const invocation = Number(/#(\d+)/.exec(await list.nth(2).innerText())[1]);
  const sent = answers(page);
  await asked.getByLabel(/^by/i).and(page.locator("input")).fill("Ada");
  await asked.getByRole("button", { name: /^Send / }).click();
  await seen(page.getByRole("region", { name: "Result" }));
  assert.equal(sent.all()[0].body.invocation, invocation);
  const given = (await history(run.run_id)).invocations.find((it) => it.id === invocation).events[0].value.number;
  const [, number, , , by] = await told(run.run_id);
  assert.deepEqual([number, by], [given, "Ada"]);
  await page.context().close();
});

test("5 a double click answers one question, and not the one that is asked next", async () => {
  const run = await begin("inbox", { n: 3 });
  const page = await open(`#/runs/${run.run_id}`);
  const wait = page.getByRole("region", { name: "Waiting for AnswerEvent" });
  const sent = answers(page);
  for (const [number, words] of ["one", "two", "three"].entries()) {
    await seen(wait.locator(".question").filter({ hasText: `number: ${number}` }));
    await sent.arrived();
    assert.equal((await history(run.run_id)).moments.filter((it) => it.kind === "event-received").length, number);
    await wait.getByLabel(/^text/i).and(page.locator("input")).fill(words);
    await wait.getByRole("button", { name: "Send AnswerEvent" }).dblclick();
  }
  await seen(page.getByRole("region", { name: "Result" }));
  assert.deepEqual(await told(run.run_id), ["one", "two", "three"]);
  assert.equal(new Set(sent.all().map((it) => it.key)).size, 3, "a key is a question's own");
  await page.context().close();
});

test("4 a run that waits is drawn anew only where the time is told", async () => {
  const run = await begin("hitl");
  const page = await open("#/workflows");
  // What its first frames have to do with is asked for once more.
  const asked = page.waitForResponse((it) => /history\?after=/.test(it.url()));
  await visit(page, `#/runs/${run.run_id}`);
  await seen(page.getByRole("region", { name: "Waiting for ResponseEvent" }));
  await seen(page.locator(".entry").nth(1));
  await (await asked).finished();
  await page.evaluate(() => new Promise((done) => window.requestAnimationFrame(() => window.requestAnimationFrame(done))));
  const changed = await page.evaluate(
    () =>
      new Promise((done) => {
        const [where, clock] = [new Set(), document.querySelector(".facts")];
        let times = 0;
        new MutationObserver((all) => {
          for (const { target } of all) {
            const at = target instanceof Element ? target : target.parentElement;
            where.add(at.closest(".facts, .question .soft, .timeline") ? "time" : at.outerHTML.slice(0, 100));
            if (clock.contains(at)) times++;
          }
          if (times > 8) done([...where]);
        }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
      }),
  );
  assert.deepEqual(changed, ["time"]);
  await page.context().close();
});

test("4 what failed comes into view among many steps, below times that stay; the step at work comes into view in the graph", async () => {
  const page = await open(`#/runs/${runs.fanout}`, { height: 760 });
  await seen(page.locator(".node").first());
  assert.ok(await page.evaluate(() => [...document.fonts].some((it) => /Inter/.test(it.family) && it.status === "loaded")), "the page brings its own font");
  const inside = (name) => page.waitForFunction((name) => {
    const [box, node] = [document.querySelector(".canvas"), document.querySelector(`.node[data-id="${name}"]`)].map((it) => it.getBoundingClientRect());
    return node.top >= box.top && node.bottom <= box.bottom && node.left >= box.left && node.right <= box.right;
  }, name);
  for (let at = 0; at < 4; at++) await page.getByRole("button", { name: "Larger" }).click();
  // Until it is as large as it becomes: who zooms looks where they zoom, whatever is at work.
  await page.waitForFunction(() => {
    const at = JSON.stringify(document.querySelector(".node").getBoundingClientRect());
    const same = at === window.lastPlace;
    window.lastPlace = at;
    return same;
  }, null, { polling: 200 });
  await page.getByLabel("Moment of the run").focus();
  for (const [key, step] of [["Home", "dispatch"], ["End", "collect"], ["Home", "dispatch"]]) {
    await page.keyboard.press(key);
    await inside(step);
  }
  await page.getByRole("button", { name: /work.*×12/ }).click();
  const [ticks, lanes] = [page.locator(".ticks"), page.locator(".lanes")];
  const top = async () => (await ticks.boundingBox()).y - (await lanes.boundingBox()).y;
  const before = await top();
  await lanes.evaluate((it) => (it.scrollTop = 100));
  assert.ok((await lanes.evaluate((it) => it.scrollTop)) > 50, "there is more than has room");
  assert.equal(await top(), before);
  // One that is picked, far down.
  await visit(page, `#/runs/${runs.fanout}?invocation=12&tab=step`);
  await page.waitForFunction(() => {
    const [box, row] = [document.querySelector(".lanes"), document.querySelector(".lane-row.picked")].map((it) => it?.getBoundingClientRect());
    return row && row.top >= box.top && row.bottom <= box.bottom + 1;
  });
  await page.context().close();
});

test("4 the step that failed is in view among forty, without a click, in the timeline and in the graph", async () => {
  const page = await open(`#/runs/${await end("breaking")}`, { height: 700 });
  await seen(page.getByRole("region", { name: "Why it failed" }));
  await page.waitForFunction(() => {
    const [lanes, row] = [document.querySelector(".lanes"), [...document.querySelectorAll(".lane-row")].find((it) => /\bstep39\b/.test(it.textContent))];
    if (!lanes || !row || lanes.scrollTop === 0) return false;
    const [box, at] = [lanes, row].map((it) => it.getBoundingClientRect());
    return at.top >= box.top && at.bottom <= box.bottom + 1;
  });
  await seen(page.locator('.node.failed[data-id="step39"]'));
  await page.waitForFunction(() => {
    const [box, at] = [".canvas", '.node[data-id="step39"]'].map((it) => document.querySelector(it).getBoundingClientRect());
    return at.top >= box.top && at.bottom <= box.bottom && at.left >= box.left && at.right <= box.right;
  });
  assert.equal(await page.locator(".lane-row.picked").count(), 0);
  await page.context().close();
});

test("6 many runs: filtered in the URL, live, chosen, cancelled, and compared", async () => {
  const mine = await begin("hitl");
  const page = await open("#/runs?status=running&status=waiting");
  const row = page.getByRole("row").filter({ hasText: mine.run_id });
  await seen(row);
  // The whole row is its link.
  await row.click({ position: { x: 260, y: 20 } });
  await seen(page.getByRole("region", { name: "Waiting for ResponseEvent" }));
  await page.goBack();
  await row.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await row.waitFor({ state: "detached" });
  await page.goto(`${base}/#/runs?workflow=greeting`);
  await page.reload();
  for (const id of [runs.greeting, runs.other]) await page.getByLabel(`Choose ${id}`).check();
  await page.getByRole("button", { name: "Compare" }).click();
  await seen(text(page, /They part at line 4/));
  assert.equal(await page.locator("tr.first").count(), 1);
  // Beside the events: what they began with, how they ended, and what they kept.
  const part = (title, words) => page.locator("table.pairs.panel tbody").filter({ has: page.locator("tr.part", { hasText: `${title} ${words}` }) });
  const cells = (part, name) => part.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) }).getByRole("cell").allInnerTexts();
  await seen(part("Input", "1 difference"));
  assert.deepEqual(await cells(part("Input", "1 difference"), "name"), ['"Ada"', '"Grace"']);
  await visit(page, `#/compare/${runs.counter}/${await end("counter", { by: 4 })}`);
  await seen(part("State", "1 difference"));
  assert.deepEqual(await cells(part("State", "1 difference"), "count"), ["3", "4"]);
  assert.deepEqual(await cells(part("Input", "1 difference"), "by"), ["3", "4"]);
  await page.context().close();
});

test("6 the list of runs tells what went in and what came out; it is searched, ordered and bounded in time, and failures are grouped", async () => {
  const word = `list-${Date.now()}`;
  const first = await end("greeting", { name: `${word}-a` });
  for (const at of [1, 2]) await end("failing", { message: `${word} fails ${at}` });
  const page = await open("#/runs");
  const rows = page.getByLabel("The runs").getByRole("row");
  await seen(rows.nth(3));
  await page.getByLabel("Search by id, input, result or error").fill(word);
  await page.waitForFunction(() => document.querySelectorAll('[aria-label="The runs"] [role="row"]').length === 3);
  const [input, output] = await rows.filter({ hasText: first }).locator(".goes").allInnerTexts();
  assert.deepEqual([input, output], [`{"name":"${word}-a"}`, `"Hello, ${word}-a!"`]);
  assert.equal(await rows.first().locator(".goes.failed").innerText(), `${word} fails 2`);
  await page.getByLabel("Order").selectOption({ label: "Oldest first" });
  await seen(rows.first().filter({ hasText: first }));
  assert.match(page.url(), /order=oldest/);
  const bounded = page.waitForRequest((it) => /\/api\/v1\/runs\?/.test(it.url()) && new URL(it.url()).searchParams.has("since"));
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "the last hour" });
  const asked = new URL((await bounded).url()).searchParams;
  const ago = Date.now() - Date.parse(asked.get("since"));
  assert.ok(ago >= 3600e3 && ago < 3600e3 + 120e3, `${ago}`);
  assert.deepEqual([asked.get("search"), asked.get("order")], [word, "oldest"]);
  await seen(rows.nth(2));
  await page.getByRole("button", { name: "By error" }).click();
  const kind = page.locator(".kinds > li");
  await seen(kind.filter({ hasText: `2 × failing ${word} fails` }));
  assert.equal(await kind.count(), 1);
  await kind.locator("summary").click();
  await kind.getByRole("link").first().click();
  await seen(page.getByRole("region", { name: "Why it failed" }).getByText(`${word} fails`).first());
  await page.context().close();
});

test("a file that is opened is looked at: what happened in it is there, and nothing is offered that is refused", async () => {
  const page = await open("", { server: opened });
  const rows = page.getByLabel("The runs").getByRole("row");
  await seen(rows.first());
  assert.equal(await rows.count(), 1);
  const offered = async () => {
    const all = await page.locator("main button:not([role=tab]), main a.button").allInnerTexts();
    return all.filter((it) => /^(Cancel|Run again|Edit and run|Fork|Fork from here|Try again.*|Purge|Start|Send)$/.test(it.trim()));
  };
  await rows.getByRole("checkbox").check();
  await seen(text(page, "1 chosen"));
  assert.deepEqual(await offered(), []);
  await rows.getByRole("link").click();
  await seen(page.getByRole("region", { name: "Why it failed" }).getByText("it broke").first());
  await seen(page.locator(".node.failed", { hasText: "panic" }));
  await page.locator(".entry button").last().click();
  await seen(page.locator(".entry.picked .inside"));
  assert.deepEqual(await offered(), []);
  await page.locator("button.lane-name").first().click();
  await seen(page.getByRole("heading", { name: /panic/ }));
  assert.deepEqual(await offered(), []);
  // Send is a tab's name, and nothing else's.
  await page.getByRole("tab", { name: "Send" }).click();
  await seen(page.getByRole("tabpanel").getByText("nothing can be sent"));
  assert.equal(await page.getByRole("tabpanel").getByRole("button").count(), 0);
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.screenshot({ path: `${shots}/opened-light-1440.png`, fullPage: true });
  await page.context().close();
});

test("6 two runs that go on are compared over one connection, by turns", async () => {
  const both = [await begin("hitl"), await begin("hitl")];
  const page = await open("#/workflows");
  await page.evaluate(() => {
    const all = [];
    window.most = 0;
    window.EventSource = class extends EventSource {
      constructor(url) {
        super(url);
        all.push(this);
        window.most = Math.max(window.most, all.filter((it) => it.readyState !== EventSource.CLOSED).length);
      }
    };
  });
  await page.evaluate((hash) => (location.hash = hash), `#/compare/${both[0].run_id}/${both[1].run_id}`);
  await seen(text(page, "They are the same, one by one."));
  // Either is told of what comes.
  for (const { handler_id } of both) {
    await post(`/events/${handler_id}`, { event: { type: "ResponseEvent", value: { response: "Ada" } } });
    await seen(page.locator(".pairs thead .status.completed").nth(both.findIndex((it) => it.handler_id === handler_id)));
  }
  await seen(text(page, "They are the same, one by one."));
  assert.equal(await page.evaluate(() => window.most), 1);
  await page.context().close();
});

test("7 always: the palette, help and views by keyboard; offline is said", async () => {
  const page = await open("#/workflows");
  await seen(page.getByRole("heading", { name: "Workflows" }));
  await page.keyboard.press("Control+k");
  await page.keyboard.type("retry");
  await seen(page.getByRole("option", { name: "retry" }).first());
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash.includes("/workflows/retry"));
  await page.locator("body").press("?");
  await seen(page.getByRole("heading", { name: "Keyboard" }));
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Keyboard" }).waitFor({ state: "detached" });
  await page.keyboard.press("r");
  await seen(page.getByRole("heading", { name: "Runs" }));
  await page.context().setOffline(true);
  await seen(text(page, "offline, trying again"));
  await page.context().setOffline(false);
  await text(page, "offline, trying again").waitFor({ state: "detached", timeout: 15_000 });
  await page.context().close();
});

test("7 always: a stream that is refused is asked for again, and a strange URL breaks nothing", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let refused = true;
  await page.route("**/events?*", (route) => (refused ? route.fulfill({ status: 503, body: "{}" }) : route.continue()));
  // Longer than a busy machine takes to show the page.
  const run = await begin("slow", { seconds: 6 });
  await page.goto(`${base}/#/runs/${run.run_id}`);
  await seen(text(page, "offline, going on from where it was"));
  refused = false;
  await seen(text(page, "✓ Result"));
  await page.goto(`${base}/#/runs/%`);
  await seen(text(page, "There is no such run"));
  await page.goto(`${base}/#/compare/x`);
  await seen(text(page, "There is no such page"));
  await page.goto(`${base}/#/workflows/greeting?input=${encodeURIComponent('{"name":"A?B"}')}`);
  await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("A?B"));
  await context.close();
});

test("7 always: a server that is starting says so, and the run is shown as soon as it is there", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let starting = true;
  await page.route(/\/api\/v1\/runs\/\w/, (route) => (starting ? route.fulfill({ status: 503, contentType: "application/json", body: '{"detail":"not yet"}' }) : route.continue()));
  await page.goto(`${base}/#/runs/${runs.greeting}`);
  await seen(page.getByRole("status").filter({ hasText: "The server is starting" }));
  starting = false;
  await seen(page.getByRole("region", { name: "Result" }).getByText("Hello, Ada!"));
  await context.close();
});

test("7 always: what was typed into an answer stays while another moment is looked at", async () => {
  const run = await begin("waiter");
  const page = await open(`#/runs/${run.run_id}`);
  const field = page.getByRole("region", { name: "Waiting for AnswerEvent" }).getByLabel(/answer/i).and(page.locator("input"));
  await field.fill("draft");
  await page.getByRole("button", { name: "Earlier" }).click();
  await page.getByRole("button", { name: "Go to newest" }).click();
  assert.equal(await field.inputValue(), "draft");
  await page.context().close();
});

test("5 a question that is an event stands at the top, with its form, until it is answered once", async () => {
  const run = await begin("hitl");
  const page = await open(`#/runs/${run.run_id}`);
  const wait = page.getByRole("region", { name: "Waiting for ResponseEvent" });
  await seen(wait.getByText("What is your name?"));
  await seen(page.locator(".title .status.waiting"));
  const sent = [];
  page.on("request", (request) => request.method() === "POST" && /\/events\//.test(request.url()) && sent.push({ key: request.headers()["idempotency-key"], body: request.postDataJSON() }));
  await wait.getByLabel(/response/i).and(page.locator("input")).fill("Ada");
  // A second click does not answer what is asked next.
  await wait.getByRole("button", { name: "Send ResponseEvent" }).dblclick();
  await seen(text(page, "Hello, Ada"));
  assert.equal(await wait.count(), 0);
  assert.ok(sent.length >= 1 && sent.every((it) => it.key === sent[0].key && it.key), JSON.stringify(sent));
  assert.equal(sent[0].body.step, "greet_human");
  await page.context().close();
});

test("7 always: a run that is purged elsewhere is shown as gone, whether it went on or had ended", async () => {
  const running = await begin("hitl");
  const ended = (await post("/workflows/greeting/run", { start_event: {} })).run_id;
  const handler = (await (await fetch(`${base}/api/v1/runs/${ended}`)).json()).handler_id;
  const pages = [await open(`#/runs/${running.run_id}`), await open(`#/runs/${ended}`)];
  await seen(pages[0].locator(".title .status.waiting"));
  await seen(pages[1].locator(".title .status.completed"));
  await post(`/handlers/${running.handler_id}/cancel?purge=true`);
  await post(`/handlers/${handler}/cancel?purge=true`);
  for (const page of pages) {
    await page.getByRole("status").filter({ hasText: "This run is gone" }).waitFor({ timeout: 20_000 });
    assert.equal(await page.getByRole("button", { name: "Run again" }).count(), 0);
    assert.ok((await page.locator(".entry").count()) > 0, "what was known of it stays");
    await page.context().close();
  }
});

test("7 always: the end of a run is shown whole: nothing is at work where it says completed", async () => {
  const run = await begin("fanout", { n: 300 });
  const page = await open(`#/runs/${run.run_id}`);
  await page.locator(".title .status.completed").waitFor({ timeout: 30_000 });
  assert.equal(await page.locator(".node.executing, .node.sleeping").count(), 0);
  assert.match(await page.locator('.node[data-id="work"]').textContent(), /✓ 300/);
  // A lane for each step; of those that ran often, how much of them went on.
  assert.equal(await page.locator(".lane-row").count(), 3);
  assert.equal(await page.locator(".lane-row svg.dense").count(), 2);
  await page.context().close();
});

test("7 always: what a run that goes on costs does not grow with what it has done: bytes are counted over ten thousand invocations", async (context) => {
  const page = await open("#/workflows");
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const bytes = { history: 0, stream: 0, others: 0 };
  const pages = [];
  const kinds = new Map();
  session.on("Network.requestWillBeSent", ({ requestId, request }) => {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.startsWith("/api/v1/runs/") ? pathname.split("/").at(-1) : "";
    kinds.set(requestId, path === "events" ? "stream" : path === "history" ? "history" : "others");
    if (path === "logs" || path === "state") pages.push({ path });
    if (path === "history") pages.push({ path, requestId, after: searchParams.get("after"), size: 0 });
  });
  session.on("Network.dataReceived", ({ requestId, dataLength }) => {
    const kind = kinds.get(requestId);
    if (kind) bytes[kind] += dataLength;
    const part = pages.find((it) => it.requestId === requestId);
    if (part) part.size += dataLength;
  });
  let sent = 0;
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => (sent += kinds.get(requestId) === "history" ? encodedDataLength : 0));
  const run = await begin("spread", { n: 5000 });
  await page.evaluate((hash) => (location.hash = hash), `#/runs/${run.run_id}`);
  await page.locator(".title .status.completed").waitFor({ timeout: 60_000 });
  const parts = pages.filter((it) => it.size > 100);
  assert.ok(pages.every((it) => it.path === "history"), "nobody looks at logs and state");
  assert.equal(new Set(parts.map((it) => it.after)).size, parts.length, "no part is read twice");
  const entries = Number((await page.getByText(/^\d+ entries$/).innerText()).split(" ")[0]);
  assert.ok(entries > 10_000, `${entries} entries`);
  // What an entry costs is the same at the beginning and at the end.
  const afters = parts.map((it) => (it.after === null ? 0 : Number(it.after)));
  const cost = (from, to) => parts.slice(from, to).reduce((sum, it) => sum + it.size, 0) / ((afters[to] ?? entries) - afters[from]);
  const middle = Math.floor(parts.length / 2);
  const [early, late] = [cost(0, middle), cost(middle, parts.length)];
  context.diagnostic(`measured: ${entries} entries live in ${parts.length} pages: ${early.toFixed(0)} bytes an entry at first, ${late.toFixed(0)} later, compressed ${(sent / entries).toFixed(0)}; ${bytes.stream} bytes of stream, ${bytes.others} of others`);
  assert.ok(sent < bytes.history / 4, `compressed: ${sent} of ${bytes.history} bytes of history`);
  assert.ok(late < early * 1.5, `${early} bytes an entry at first, ${late} later`);
  assert.ok(bytes.others < 1_000_000 && bytes.stream < entries * 1500, JSON.stringify(bytes));
  await page.context().close();
});

test("a large value is drawn as far as it is seen", async () => {
  const id = await end("echo", { result: new Array(5000).fill(0) });
  const page = await open(`#/runs/${id}`);
  const result = page.getByRole("region", { name: "Result" });
  await seen(result.locator(".json"));
  assert.ok((await page.locator(".json .leaf, .json .fold").count()) < 400);
  await page.context().close();
});

test("the parts of the workspace are moved by keyboard and mouse, and fill the window", async () => {
  const page = await open(`#/runs/${runs.fanout}`);
  await seen(page.locator(".node").first());
  const size = () => page.locator(".side").evaluate((it) => it.getBoundingClientRect().width);
  const before = await size();
  await page.getByRole("separator", { name: "Between graph and details" }).focus();
  await page.keyboard.press("ArrowLeft");
  assert.ok((await size()) > before + 20);
  const wide = await size();
  await page.reload();
  await seen(page.locator(".node").first());
  assert.ok(Math.abs((await size()) - wide) < 2, "it is kept");
  const dragged = async (from, to) => {
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(...to, { steps: 4 });
    await page.mouse.up();
  };
  const middle = async (locator) => {
    const { x, y, width, height } = await locator.boundingBox();
    return [x + width / 2, y + height / 2];
  };
  const [x, y] = await middle(page.getByRole("separator", { name: "Between graph and details" }));
  await dragged([x, y], [x + 100, y]);
  assert.ok(Math.abs((await size()) - (wide - 100)) < 10, `${wide} wide, and then ${await size()}`);
  const height = () => page.locator(".timeline-panel").evaluate((it) => it.getBoundingClientRect().height);
  const [low, [left, above]] = [await height(), await middle(page.getByRole("separator", { name: "Above the timeline" }))];
  await dragged([left, above], [left, above - 80]);
  assert.ok(Math.abs((await height()) - (low + 80)) < 10, `${low} high, and then ${await height()}`);
  // The line through the timeline goes to where the ruler is pointed at.
  const ruler = page.getByRole("slider", { name: "Moment of the run" });
  await page.mouse.click(...(await middle(ruler)));
  await page.waitForFunction(() => /[?&]at=[1-9]/.test(location.hash));
  const box = await ruler.boundingBox();
  const part = ((await page.locator(".playhead i").boundingBox()).x - box.x) / box.width;
  assert.ok(part > 0.05 && part < 0.52, `at ${part} of the ruler`);
  assert.ok(Number(await ruler.getAttribute("aria-valuenow")) < Number(await ruler.getAttribute("aria-valuemax")));
  assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight), "nothing is below the window");
  const bottom = await page.locator(".timeline-panel").evaluate((it) => it.getBoundingClientRect().bottom);
  assert.ok(bottom <= 900 && bottom > 860, `${bottom}`);
  await page.context().close();
});

test("the API is readable offline", async () => {
  const page = await open("#/api");
  await page.getByText("/api/v1/runs/{run_id}/history").click();
  await seen(text(page, "What happened in a run, entry by entry."));
  await page.context().close();
});

test("every view, light and dark, wide and narrow: a picture, and no barrier", async () => {
  const waiting = await begin("waiter");
  const running = await begin("slow", { seconds: 600 });
  const asked = await begin("hitl");
  const large = await end("publish-10000");
  const several = await begin("subtypes");
  for (const number of [2, 3]) await post(`/events/${several.handler_id}`, { event: { type: "Order", value: { number } } });
  const views = {
    workflows: "#/workflows",
    workflow: "#/workflows/fanout",
    runs: "#/runs",
    empty: "#/runs?search=nothing-of-that-name",
    run: `#/runs/${runs.fanout}`,
    moment: `#/runs/${runs.retry}?at=3&invocation=0&tab=step`,
    journal: `#/runs/${runs.counter}?at=1`,
    events: `#/runs/${runs.greeting}?tab=events`,
    errors: "#/runs?status=failed&group=error",
    gone: "#/runs/never-was",
    asked: `#/runs/${asked.run_id}`,
    state: `#/runs/${runs.counter}?tab=state`,
    failed: `#/runs/${runs.failed}?tab=logs`,
    twenty: `#/runs/${await end("twenty", { result: "through" })}`,
    hundreds: `#/runs/${await end("large", { result: "through" })}?tab=step&invocation=199`,
    breaking: `#/runs/${await end("breaking")}`,
    several: `#/runs/${several.run_id}`,
    fork: `#/runs/${runs.forked}`,
    waiting: `#/runs/${waiting.run_id}?tab=send`,
    compare: `#/compare/${runs.greeting}/${runs.other}`,
    running: `#/runs/${running.run_id}`,
    large: `#/runs/${large}`,
    api: "#/api",
  };
  const barriers = [];
  // One page, which goes from view to view, and is looked at in all ways: to load each anew would take minutes.
  const page = await open("");
  const drawn = () => page.evaluate(() => new Promise((done) => window.requestAnimationFrame(() => window.requestAnimationFrame(done))));
  for (const [name, path] of Object.entries(views)) {
    await page.setViewportSize({ width: 1440, height: 900 });
    await visit(page, path);
    await seen(page.locator("main h1, main h2").first());
    await page.waitForFunction(() => !/Loading …|so far/.test(document.querySelector("main").innerText));
    if (/^#\/(runs|workflows)\/[^n]/.test(path)) await seen(page.locator(".node").first());
    // All of their steps were at work, and are drawn so.
    const steps = { twenty: 20, hundreds: 200 }[name];
    if (steps) await page.waitForFunction((steps) => document.querySelectorAll(".node.returned").length === steps, steps);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      for (const width of [1440, 800, 390]) {
        await page.setViewportSize({ width, height: 900 });
        await drawn();
        await page.screenshot({ path: `${shots}/${name}-${scheme}-${width}.png`, fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(wide <= 0, `${name} at ${width} is ${wide} pixels too wide`);
        const cut = await page.evaluate(() => [...document.querySelectorAll(".json, .scroll")].filter((it) => it.checkVisibility() && it.scrollWidth > it.clientWidth).map((it) => it.className));
        assert.deepEqual(cut, [], `${name} at ${width} scrolls sideways`);
        if (width !== 1440) continue;
        const axe = new AxeBuilder({ page });
        // In the dark, nothing but colours is different.
        const { violations } = await (scheme === "light" ? axe.withTags(["wcag2a", "wcag2aa", "wcag21aa"]) : axe.withRules(["color-contrast"])).analyze();
        const found = violations.map((it) => `${it.id}: ${it.help}: ${it.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
        barriers.push(...found.map((it) => `${name} ${scheme}: ${it}`));
      }
    }
  }
  await page.context().close();
  assert.deepEqual(barriers, []);
});

test("where scrollbars take room: headings stand over their columns, and what is short has none", async (context) => {
  const other = await launch({ ignoreDefaultArgs: ["--hide-scrollbars"] });
  context.after(() => other.close());
  const page = await other.newPage({ viewport: { width: 1440, height: 400 } });
  for (let at = 0; at < 12; at++) await begin("greeting");
  await page.goto(`${base}/#/runs`);
  const rows = page.getByLabel("The runs");
  await seen(rows.getByRole("row").nth(8));
  assert.ok(await rows.evaluate((it) => it.offsetWidth > it.clientWidth), "there is a scrollbar");
  const left = (row) => row.evaluate((it) => [...it.children].map((cell) => cell.getBoundingClientRect().left));
  assert.deepEqual(await left(page.locator(".tr.head")), await left(rows.getByRole("row").first()));
  const short = JSON.parse(await (await fetch(`${base}/workflows/echo/run`, { method: "POST", body: '{"start_event":{"result":{"a":1}}}' })).text()).run_id;
  for (const id of [short, runs.greeting]) {
    await page.goto(`${base}/#/runs/${id}`);
    const value = page.getByRole("region", { name: "Result" }).locator(".json, .value");
    await seen(value);
    assert.ok(await value.evaluate((it) => it.scrollHeight <= it.clientHeight && it.scrollWidth <= it.clientWidth));
  }
  await page.goto(`${base}/#/workflows`);
  const lines = page.locator(".home > li");
  await seen(lines.first());
  // One broken workflow is a line, the first one; those that are sound have lines of one height.
  assert.match(await lines.first().innerText(), /broken/);
  const heights = await page.locator('.home > li:not([data-standing="broken"])').evaluateAll((all) => all.map((it) => Math.round(it.getBoundingClientRect().height)));
  assert.ok(Math.max(...heights) - Math.min(...heights) <= 1, `rows are as high: ${heights}`);
});

/** Scripting time per frame while something is done, in milliseconds, from the browser's own counters. */
async function scripting(page, act) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const read = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const one = await read();
  const frames = await page.evaluate(() => {
    window.counted = 0;
    const count = () => window.requestAnimationFrame(() => (window.counted++, count()));
    count();
    return window.counted;
  });
  await act();
  const other = await read();
  const drawn = (await page.evaluate(() => window.counted)) - frames;
  return ((other.ScriptDuration - one.ScriptDuration) * 1000) / Math.max(1, drawn);
}

test("a graph of two hundred steps stays smooth, and the first screen comes soon", async (context) => {
  const page = await open("#/workflows/large");
  await seen(page.locator(".node").first());
  const pane = await page.locator(".canvas").boundingBox();
  const panned = await scripting(page, async () => {
    await page.mouse.move(pane.x + 200, pane.y + 60);
    await page.mouse.down();
    for (let at = 0; at < 40; at++) await page.mouse.move(pane.x + 200 + at * 5, pane.y + 60 + at * 3);
    await page.mouse.up();
    for (let at = 0; at < 10; at++) await page.mouse.wheel(0, at % 2 ? 120 : -120);
  });
  context.diagnostic(`measured: 200 steps: ${panned.toFixed(1)} ms of scripting per frame`);
  await page.screenshot({ path: `${shots}/large-graph-light-1440.png` });
  await page.context().close();
  const first = await open("");
  await seen(first.getByRole("link", { name: "greeting", exact: true }));
  const shown = await first.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  context.diagnostic(`measured: the first screen shows after ${shown.toFixed(0)} ms`);
  await first.context().close();
});

test("the official debugger's page works against the server: a run, and a human in the loop", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.route(/\/official\//, (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    if (name) return route.fulfill({ path: `${process.env.WF_HOST_OFFICIAL}/${name}` });
    const body = '<!doctype html><link rel="stylesheet" href="app.css"><div id="root"></div><script type="module" src="app.js"></script>';
    return route.fulfill({ contentType: "text/html", body });
  });
  const choose = async (name, input, at = `${base}/official/`) => {
    await page.goto(at);
    await page.getByRole("combobox").first().click();
    await page.getByRole("option", { name, exact: true }).click();
    if (input) await page.getByPlaceholder('{"key": "value"}').fill(input);
    await page.getByRole("button", { name: "Run Workflow" }).click();
  };
  // It shows nothing of a run that has ended before it looks.
  await choose("greeting", '{"delay": 0.5}');
  await seen(page.getByText("Hello, World!").first());
  await choose("hitl");
  await seen(page.getByText("What is your name?").first());
  await page.getByRole("button", { name: "Send Event" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox").click();
  await page.getByRole("option", { name: "ResponseEvent" }).click();
  await dialog.getByRole("textbox").fill("Ada");
  await dialog.getByRole("button", { name: "Send Event" }).click();
  await seen(page.getByText("Hello, Ada").first());
  // It is told where the server is: below a path, too.
  await choose("greeting", '{"delay": 0.5, "name": "Grace"}', `${below}/official/?api=${encodeURIComponent(`${below}/wf/`)}`);
  await seen(page.getByText("Hello, Grace!").first());
  await context.close();
});

test("a run of ten thousand events and a list of ten thousand runs stay usable", async (context) => {
  const large = await end("publish-10000");
  const page = await open(`#/runs/${large}?tab=events`);
  await seen(text(page, /10001 of the 10001 published/));
  const scroll = page.getByRole("list", { name: "Events" });
  const events = await scripting(page, async () => {
    for (let at = 0; at < 40; at++) await scroll.evaluate((it, at) => (it.scrollTop = (it.scrollHeight / 40) * at), at);
    await page.getByLabel("Search the events").fill("9999");
    await seen(page.locator(".event").first());
  });
  context.diagnostic(`measured: 10,000 events: ${events.toFixed(1)} ms of scripting per frame`);
  assert.ok((await page.locator(".event").count()) < 200, "only what is seen is drawn");
  await page.context().close();

  for (let at = 0; at < 10_000; at += 100) {
    await Promise.all(Array.from({ length: 100 }, () => begin("counter")));
  }
  const list = await open("#/runs");
  const table = list.getByLabel("The runs");
  await seen(table);
  const rows = await scripting(list, async () => {
    for (let at = 0; at < 60; at++) {
      await table.evaluate((it) => (it.scrollTop = it.scrollHeight));
      await list.evaluate(() => new Promise((done) => window.requestAnimationFrame(done)));
    }
  });
  context.diagnostic(`measured: 10,000 runs: ${rows.toFixed(1)} ms of scripting per frame`);
  assert.ok((await list.getByRole("row").count()) < 120, "only what is seen is drawn");
  await list.context().close();
});

/** A proxy that shows a server below `/wf`; it takes that away before it asks, or leaves it. */
async function proxy(server, takes) {
  const proxy = createServer((asked, answer) => {
    if (!asked.url.startsWith("/wf")) return answer.writeHead(404).end();
    const path = takes ? asked.url.slice("/wf".length) || "/" : asked.url;
    const passed = forward(server + path, { method: asked.method, headers: asked.headers }, (given) => {
      answer.writeHead(given.statusCode, given.headers);
      given.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  });
  await new Promise((listening) => proxy.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${proxy.address().port}`, close: () => (proxy.closeAllConnections(), proxy.close()) };
}

test("below a path of a proxy's, that it takes away or leaves: the page loads, starts a run and shows it", async (context) => {
  for (const [server, takes, path] of [[base, true, "wf/"], [below, false, "wf/"], [below, false, "wf"]]) {
    const { url, close } = await proxy(server, takes);
    context.after(close);
    const page = await open(`${path}#/workflows/fanout`, { server: url });
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await seen(text(page, "✓ Result"));
    assert.match(page.url(), /\/wf\/#\/runs\//);
    await page.goto(`${url}/wf/#/api`);
    assert.equal(await page.getByRole("link", { name: "openapi.json" }).evaluate((it) => it.href), `${url}/wf/api/v1/openapi.json`);
    await page.context().close();
  }
});

test("many tabs: one that nobody sees holds no connection, and goes on where it was", async () => {
  const context = await browser.newContext();
  // All tabs of a browser without a screen are visible.
  await context.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
    window.look = (away) => {
      hidden = away;
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    };
  });
  const tabs = [];
  for (let at = 0; at < 8; at++) {
    const run = await begin("hitl");
    const page = await context.newPage();
    const streams = [];
    page.on("request", (request) => /\/events\?/.test(request.url()) && streams.push(new URL(request.url()).searchParams.get("after_sequence")));
    await page.goto(`${base}/#/runs/${run.run_id}?tab=events`);
    await seen(page.locator(".event", { hasText: "RequestEvent" }).first());
    tabs.push({ page, run, streams });
    if (at < 7) await page.evaluate(() => window.look(true));
  }
  const [{ page, run, streams }] = tabs;
  assert.deepEqual(streams, ["-1"]);
  await post(`/events/${run.handler_id}`, { event: { type: "ResponseEvent", value: { response: "Ada" } } });
  await page.evaluate(() => window.look(false));
  await seen(page.locator(".event", { hasText: "OutEvent" }).first());
  await seen(text(page, "✓ OutEvent"));
  assert.equal(streams.length, 2);
  assert.ok(Number(streams[1]) >= 0, `it goes on after ${streams[1]}`);
  await context.close();
});

test("nothing was asked of anybody but the server, and nothing broke", () => {
  assert.deepEqual(outside, []);
  assert.deepEqual(mistakes, []);
});
