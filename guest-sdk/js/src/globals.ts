/** What people expect of JavaScript, and the engine does not bring. Imported before anything of the author's. */
import { clearTimeout, setInterval, setTimeout } from "./loop";
import { type Job, jobs, LoopPromise } from "./promise";
import { crypto, random } from "./web/chance";
import { structuredClone } from "./web/clone";
import { console } from "./web/console";
import { TextDecoder, TextEncoder } from "./web/text";

const queueMicrotask = (job: Job) => void jobs.push(job);
const brought = {
  Promise: LoopPromise,
  queueMicrotask,
  setTimeout,
  setInterval,
  clearTimeout,
  clearInterval: clearTimeout,
  console,
  crypto,
  structuredClone,
  TextDecoder,
  TextEncoder,
};
for (const [name, value] of Object.entries(brought)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
Math.random = random;
