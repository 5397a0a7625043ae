// What only `wf-host dev` has: steps that wait before they begin.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Breakpoints } from "../api";
import { Problem } from "./common";

/** What waits is asked for again after so long, in milliseconds. */
const AGAIN = 1000;

/** The breakpoints of a workflow, and what waits at them; none: the server has no such thing. `live`: more may come. */
export function useBreakpoints(workflow: string | undefined, live: boolean): Breakpoints | undefined {
  const found = useQuery({
    queryKey: ["breakpoints", workflow],
    queryFn: () => api.breakpoints(workflow!),
    enabled: workflow !== undefined,
    refetchInterval: (query) => (live && query.state.data?.enabled ? AGAIN : false),
  });
  return found.data?.enabled ? found.data : undefined;
}

/** Whether runs wait before a step. */
export function BreakpointToggle({ workflow, step, breakpoints }: { workflow: string; step: string; breakpoints: Breakpoints }) {
  const client = useQueryClient();
  const [problem, setProblem] = useState<unknown>();
  const set = async (on: boolean) => {
    setProblem(undefined);
    const others = breakpoints.breakpoints.filter((it) => it !== step);
    client.setQueryData(["breakpoints", workflow], await api.setBreakpoints(workflow, on ? [...others, step] : others));
  };
  return (
    <>
      <label className="row pad"><input type="checkbox" checked={breakpoints.breakpoints.includes(step)} onChange={(event) => set(event.target.checked).catch(setProblem)} /> <span>Pause before <code>{step}</code></span></label>
      {problem != null && <Problem error={problem} />}
    </>
  );
}
