// The same source on another engine: what the SDK brings stands on nothing that QuickJS alone has.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { componentize } from "@bytecodealliance/componentize-js";
import { bundle, world } from "../tools/bundle.mjs";
import { folder, here, holds } from "./host.mjs";

test("the checks inside of a component hold on SpiderMonkey", async () => {
  const [source, wasm] = ["inside.js", "inside.wasm"].map((name) => path.join(folder, name));
  writeFileSync(source, (await bundle(path.join(here, "inside.ts"), folder)).code);
  const disableFeatures = ["http", "fetch-event"];
  const { component } = await componentize({ sourcePath: source, witPath: world(folder), worldName: "guest", disableFeatures });
  writeFileSync(wasm, component);
  holds(wasm);
});
