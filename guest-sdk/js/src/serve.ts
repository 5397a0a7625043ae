import { Context } from "./context";
import { type Event, received, wire } from "./events";
import { Failure, wireFailure } from "./failure";
import { stringify } from "./json";
import { drive } from "./loop";
import { forget } from "./web/chance";
import { manifest, Workflow } from "./workflow";

/** What a component exports. */
export function serve(workflow: unknown) {
  if (!(workflow instanceof Workflow)) throw new TypeError("the file's default export is no workflow: `export default workflow`");
  const described = stringify(manifest(workflow));
  return { describe: () => described, invoke: (step: string, events: WitEvent[]) => invoke(workflow, step, events) };
}

function invoke(workflow: Workflow<any>, name: string, given: WitEvent[]): WitEvent[] {
  forget();
  try {
    const step = workflow.steps.get(name);
    if (step === undefined) throw new Failure("invalid", `there is no step \`${name}\``, { retryable: false });
    const taken = given.map((event) => received(step.types, event));
    const returned: Event | Event[] | undefined = drive(step.body, new Context(), ...("allOf" in step.accepts ? [taken] : taken));
    const events = returned === undefined ? [] : Array.isArray(returned) ? returned : [returned];
    return events.map((event) => {
      if (typeof event?.name !== "string") throw new TypeError(`step \`${name}\` returned something that is no event: make one by \`.with(…)\``);
      return wire(event);
    });
  } catch (thrown) {
    throw wireFailure(thrown);
  }
}
