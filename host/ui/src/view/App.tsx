// The frame around every view: where to go, whether the server is there, and what the keyboard does.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../api";
import { keep } from "../model/inputs";
import { go, href, useRoute } from "../model/route";
import { ApiPage } from "./ApiPage";
import { useSession } from "./common";
import { ComparePage } from "./ComparePage";
import { HomePage } from "./HomePage";
import { Help, Palette } from "./Palette";
import { RunPage } from "./run/RunPage";
import { RunsPage } from "./RunsPage";
import { WorkflowPage } from "./WorkflowPage";

type Theme = "auto" | "light" | "dark";

export function App() {
  const route = useRoute();
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const [theme, setTheme] = useTheme();
  const health = useQuery({ queryKey: ["workflows"], queryFn: api.workflows, refetchInterval: 3000 });

  const session = useSession();

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable=true]");
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPalette((open) => !open);
      } else if (typing || event.ctrlKey || event.metaKey || event.altKey) {
        return;
      } else if (event.key === "?") setHelp(true);
      else if (event.key === "w") go(href(["workflows"]));
      else if (event.key === "r") go(href(["runs"]));
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);

  // Where there is nothing to be started, its runs are what there is.
  const [section = session?.read_only ? "runs" : "workflows", id, ...rest] = route.path;
  useEffect(() => {
    document.title = id ? `${id} · wf-host` : `${section} · wf-host`;
  }, [section, id]);
  const current = (name: string) => (section === name ? ("page" as const) : undefined);
  return (
    <div className="app">
      <a className="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to the content
      </a>
      <header className="bar">
        <a className="brand" href={href(["workflows"])} aria-label="wf-host">
          <svg width="22" height="12" viewBox="0 0 22 12" aria-hidden="true">
            <circle cx="5" cy="6" r="4" fill="var(--accent)" />
            <path d="M9 6h4" stroke="var(--accent)" strokeWidth="1.5" />
            <circle cx="17" cy="6" r="4" fill="none" stroke="var(--accent)" strokeWidth="1.5" />
          </svg>
          <span>wf-host</span>
        </a>
        <nav aria-label="Main">
          <a href={href(["workflows"])} aria-current={current("workflows")}>Workflows</a>
          <a href={href(["runs"])} aria-current={current("runs")}>Runs</a>
          <a href={href(["api"])} aria-current={current("api")}>API</a>
        </nav>
        <span className="grow" />
        {health.isError && (
          <span className="offline" role="status">⚠ offline, trying again</span>
        )}
        <button className="quiet" onClick={() => setPalette(true)} aria-label="Open the palette">
          Go to … <kbd>Ctrl K</kbd>
        </button>
        {session?.signed_in && (
          <button className="quiet" title={`Signed in with the key ${session.key}: ${session.scopes.join(", ")}`} onClick={() => api.signOut().then(() => location.reload())}>
            Sign out
          </button>
        )}
        <button className="quiet icon" onClick={() => setHelp(true)} aria-label="Keyboard help">?</button>
        <select aria-label="Theme" value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
          <option value="auto">Auto</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </header>
      <main id="main" tabIndex={-1} className={section === "runs" && id ? "filled" : undefined}>
        {section === "workflows" && !id && <HomePage />}
        {section === "workflows" && id && <WorkflowPage key={id} name={id} route={route} />}
        {section === "runs" && !id && <RunsPage route={route} />}
        {section === "runs" && id && <RunPage key={id} id={id} route={route} />}
        {section === "compare" && !(id && rest[0]) && <Nothing />}
        {section === "compare" && id && rest[0] && <ComparePage key={route.path.join(" ")} left={id} right={rest[0]} />}
        {section === "api" && <ApiPage />}
        {!["workflows", "runs", "compare", "api"].includes(section) && <Nothing />}
      </main>
      {palette && <Palette close={() => setPalette(false)} />}
      {help && <Help close={() => setHelp(false)} />}
    </div>
  );
}

function Nothing() {
  return (
    <section className="empty">
      <h1>There is no such page</h1>
      <p><a href={href(["workflows"])}>All workflows</a> or <a href={href(["runs"])}>all runs</a></p>
    </section>
  );
}

function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => (localStorage.getItem("wf-host theme") as Theme | null) ?? "auto");
  useEffect(() => {
    keep("wf-host theme", theme);
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [theme, setTheme];
}
