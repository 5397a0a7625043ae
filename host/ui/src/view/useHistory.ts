// What happened in a run, asked for page by page: what is known is not asked for again.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type History } from "../api";
import { joined } from "../model/history";

export function useHistory(id: string) {
  const queries = useQueryClient();
  const queryKey = ["history", id];
  return useQuery({
    queryKey,
    // Pages share what they do not change already.
    structuralSharing: false,
    queryFn: async ({ signal }) => {
      let known = queries.getQueryData<History>(queryKey);
      for (;;) {
        const page = await api.history(id, known?.moments.at(-1)?.seq);
        known = joined(known, page);
        if (page.next == null || signal.aborted) return known;
        // Shown while the next is on its way, and kept if somebody asks anew.
        queries.setQueryData(queryKey, known);
      }
    },
  });
}
