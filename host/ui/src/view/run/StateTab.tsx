// What a run keeps in its state, at the moment that is looked at.

import { useQuery } from "@tanstack/react-query";
import { api } from "../../api";
import { pretty, written } from "../../model/json";
import { Copy, Problem } from "../common";
import { JsonView } from "../JsonView";

export function StateTab({ id, seq, newest }: { id: string; seq?: number; newest: number }) {
  const state = useQuery({ queryKey: ["state", id, seq ?? newest], queryFn: () => api.state(id, seq), placeholderData: (before) => before, gcTime: 10_000 });
  if (state.error) return <Problem error={state.error} />;
  if (!state.data) return <p className="soft pad">Loading …</p>;
  return (
    <div className="pad">
      <div className="tools"><span className="soft">{seq === undefined ? "As it is" : `After entry ${seq}`}</span><span className="grow" /><Copy text={() => pretty(written(state.data))} /></div>
      {Object.keys(state.data).length === 0 ? <p className="soft">Nothing is kept in it.</p> : <JsonView value={state.data} label="State" />}
    </div>
  );
}
