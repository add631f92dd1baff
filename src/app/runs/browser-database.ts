import { openDB } from "idb";
import type { DBSchema } from "idb";
import type { CheckpointFiles } from "../../engine/protocol.ts";
import { beforeKey } from "./run-database.ts";
import type { RunDatabase, StoredCheckpoint, StoredChunk, StoredRun } from "./run-database.ts";

interface Schema extends DBSchema {
  runs: { key: string; value: StoredRun };
  chunks: { key: [string, number]; value: StoredChunk };
  checkpoints: { key: string; value: StoredCheckpoint | CheckpointFiles };
}

const NAME = "r1-playground-runs";
const VERSION = 1;

/**
 * The browser's own database.
 * @throws whatever the browser throws where storage is closed to the page: a private window, a frame on another site
 */
export async function openBrowserDatabase(): Promise<RunDatabase> {
  const database = await openDB<Schema>(NAME, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("runs", { keyPath: "id" });
      fresh.createObjectStore("chunks", { keyPath: ["run", "seq"] });
      fresh.createObjectStore("checkpoints");
    },
    // Another tab has a newer page: it must not wait for this one.
    blocking(_, __, event) {
      if (event.target instanceof IDBDatabase) event.target.close();
    },
  });
  const chunksOf = (run: string): IDBKeyRange => IDBKeyRange.bound([run, -Infinity], [run, Infinity]);
  return {
    isPersistent: true,
    async runs() {
      const transaction = database.transaction("runs");
      const [keys, rows] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
      return new Map(keys.map((key, i) => [key, rows[i]]));
    },
    async putRun(run) {
      await database.put("runs", run);
    },
    chunks: (run, after = -Infinity, most) =>
      database.getAll("chunks", IDBKeyRange.bound([run, after], [run, Infinity], true), most),
    async lastSeq(run) {
      const last = await database.transaction("chunks").store.openKeyCursor(chunksOf(run), "prev");
      return last ? last.primaryKey[1] : -1;
    },
    async append(chunk, run) {
      const transaction = database.transaction(["runs", "chunks"], "readwrite");
      await Promise.all([
        transaction.objectStore("chunks").put(chunk),
        transaction.objectStore("runs").put(run),
        transaction.done,
      ]);
    },
    async truncate(step, run) {
      const transaction = database.transaction(["runs", "chunks"], "readwrite");
      const chunks = transaction.objectStore("chunks");
      // From the end: a run may have a hundred megabytes before the step.
      for (let at = await chunks.openCursor(chunksOf(run.id), "prev"); at && at.value.step > step;) {
        await at.delete();
        at = await at.continue();
      }
      await transaction.objectStore("runs").put(run);
      await transaction.done;
    },
    async putCheckpoint(checkpoint, run) {
      const put = async (keepsBefore: boolean): Promise<void> => {
        const transaction = database.transaction(["runs", "checkpoints"], "readwrite");
        const store = transaction.objectStore("checkpoints");
        // One that cannot be read any more is not worth keeping.
        const before = keepsBefore ? await store.get(run.id).catch(() => undefined) : undefined;
        await Promise.all([
          before === undefined ? store.delete(beforeKey(run.id)) : store.put(before, beforeKey(run.id)),
          store.put(checkpoint, run.id),
          transaction.objectStore("runs").put(run),
          transaction.done,
        ]);
      };
      try {
        await put(true);
      } catch {
        // No room for two: the newest is worth more.
        await put(false);
      }
    },
    checkpoint: (run, which) => database.get("checkpoints", which === "newest" ? run : beforeKey(run)),
    async swapCheckpoints(run) {
      const transaction = database.transaction(["runs", "checkpoints"], "readwrite");
      const store = transaction.objectStore("checkpoints");
      const before = await store.get(beforeKey(run.id));
      const newest = await store.get(run.id).catch(() => undefined);
      await Promise.all([
        ...(before === undefined ? [] : [store.put(before, run.id)]),
        newest === undefined ? store.delete(beforeKey(run.id)) : store.put(newest, beforeKey(run.id)),
        transaction.objectStore("runs").put(run),
        transaction.done,
      ]);
    },
    async remove(run) {
      const transaction = database.transaction(["runs", "chunks", "checkpoints"], "readwrite");
      await Promise.all([
        transaction.objectStore("runs").delete(run),
        transaction.objectStore("chunks").delete(chunksOf(run)),
        transaction.objectStore("checkpoints").delete(run),
        transaction.objectStore("checkpoints").delete(beforeKey(run)),
        transaction.done,
      ]);
    },
  };
}
