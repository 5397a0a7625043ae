// How runs stand.

/** Whether a run has not ended: one that waits for somebody goes on, too. */
export function goesOn({ status }: { status: string }): boolean {
  return status === "running" || status === "waiting";
}
