import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Refused } from "./api";
import { App } from "./view/App";
import "@xyflow/react/dist/style.css";
import "./styles.css";

const queries = new QueryClient({
  defaultOptions: { queries: { retry: (count, error) => count < 1 && !(error instanceof Refused && error.status < 500), staleTime: 1000, refetchOnWindowFocus: false, networkMode: "always" } },
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
