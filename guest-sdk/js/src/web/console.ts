/** Lines of `console` go to the run's log, each with its level. */
import log from "wf:workflow/log@0.1.0";
import { show } from "../failure";
import { isDriving } from "../loop";

function line(level: string) {
  return (...values: unknown[]) => {
    // While the component is built there is no run.
    if (isDriving()) log.write(level, values.map(show).join(" ").toWellFormed(), "{}");
  };
}

export const console = {
  log: line("info"),
  info: line("info"),
  warn: line("warn"),
  error: line("error"),
  debug: line("debug"),
  trace: line("trace"),
  assert(holds: unknown, ...values: unknown[]) {
    if (!holds) console.error("Assertion failed:", ...values);
  },
};
