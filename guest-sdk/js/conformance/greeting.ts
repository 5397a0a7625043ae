import { defineWorkflow, event, StartEvent, StopEvent } from "wf-guest";
import * as z from "zod";

const StreamEvent = event("StreamEvent", z.object({ sequence: z.int() }).describe("Shown while the greeting is under way."));

export default defineWorkflow({ name: "greeting", description: "Greets by name." }).step(
  "greet",
  { accepts: [StartEvent], emits: [StopEvent], sends: [StreamEvent], description: "Counts to three, and greets." },
  async (context, { data: { name = "World", delay = 0 } }) => {
    for (let sequence = 0; sequence < 3; sequence++) {
      await context.publish(StreamEvent.with({ sequence }));
      if (delay > 0) await context.sleep(`${delay as number}s`);
    }
    return StopEvent.with(`Hello, ${name}!`);
  },
);
