import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Refused } from "./api";
import { written } from "./model/json";
import { App } from "./view/App";
import "./styles.css";

/** What is the same stays the same object; parts of it are not exchanged, which would not be as they were written. */
const shared = (before: unknown, after: unknown): unknown => (before !== undefined && written(before) === written(after) ? before : after);

const queries = new QueryClient({
  defaultOptions: { queries: { retry: (count, error) => count < 1 && !(error instanceof Refused && error.status < 500), staleTime: 1000, refetchOnWindowFocus: false, networkMode: "always", structuralSharing: shared } },
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
}
