/** Entry of the worker that reads a run: parsing a hundred megabytes would hold up the page for seconds. */
import { isR1Error } from "../../errors.ts";
import { openBrowserDatabase } from "./browser-database.ts";
import type { ReadAnswer, ReadRequest } from "./read-messages.ts";
import { fetchRecordedRun } from "./recorded-run.ts";
import { RunArchive } from "./run-archive.ts";
import { piecesOf } from "./run-pieces.ts";

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker is its page's own
const say = (answer: ReadAnswer): void => self.postMessage(answer);

async function read(request: ReadRequest): Promise<void> {
  if (request.kind === "recorded") {
    const { steps, evaluations, warnings, ...head } = await fetchRecordedRun(request.entry, request.base);
    say({ type: "head", head });
    for (const piece of piecesOf({ steps, evaluations, warnings }, 0, 1)) say({ type: "piece", piece });
    return;
  }
  const archive = new RunArchive(await openBrowserDatabase());
  const { head, pieces } = await archive.openInPieces(request.id);
  say({ type: "head", head });
  for await (const piece of pieces) say({ type: "piece", piece });
}

self.onmessage = async ({ data }: MessageEvent<ReadRequest>) => {
  try {
    await read(data);
    say({ type: "end" });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const wire = isR1Error(error)
      ? { code: error.code, message, details: error.details }
      : { code: "E_INTERNAL" as const, message, details: {} };
    say({ type: "error", error: wire });
  }
};
