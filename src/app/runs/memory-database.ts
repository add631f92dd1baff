import { beforeKey } from "./run-database.ts";
import type { RunDatabase, StoredChunk } from "./run-database.ts";

/** Keeps runs until the page is left: where the browser's storage is closed to the page. */
export function memoryDatabase(): RunDatabase {
  const runs = new Map<string, unknown>();
  const checkpoints = new Map<string, unknown>();
  let chunks: readonly StoredChunk[] = [];
  return {
    isPersistent: false,
    runs: async () => new Map(runs),
    putRun: async (run) => void runs.set(run.id, run),
    chunks: async (run, after = -Infinity, most = Infinity) =>
      chunks.filter((chunk) => chunk.run === run && !(chunk.seq <= after)).slice(0, most),
    lastSeq: async (run) => Math.max(-1, ...chunks.filter((chunk) => chunk.run === run).map(({ seq }) => seq)),
    append: async (chunk, run) => {
      chunks = [...chunks, chunk];
      runs.set(run.id, run);
    },
    truncate: async (step, run) => {
      chunks = chunks.filter((chunk) => chunk.run !== run.id || chunk.step <= step);
      runs.set(run.id, run);
    },
    putCheckpoint: async (checkpoint, run) => {
      const before = checkpoints.get(run.id);
      if (before !== undefined) checkpoints.set(beforeKey(run.id), before);
      checkpoints.set(run.id, checkpoint);
      runs.set(run.id, run);
    },
    checkpoint: async (run, which) => checkpoints.get(which === "newest" ? run : beforeKey(run)),
    swapCheckpoints: async (run) => {
      const [newest, before] = [checkpoints.get(run.id), checkpoints.get(beforeKey(run.id))];
      checkpoints.set(run.id, before);
      checkpoints.set(beforeKey(run.id), newest);
      runs.set(run.id, run);
    },
    remove: async (run) => {
      runs.delete(run);
      checkpoints.delete(run);
      checkpoints.delete(beforeKey(run));
      chunks = chunks.filter((chunk) => chunk.run !== run);
    },
  };
}
