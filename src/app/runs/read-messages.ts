import type { WireError } from "../../engine/protocol.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { RunHead, RunPiece } from "./run-pieces.ts";

/** Which run a reading worker is to read. */
export type ReadRequest =
  | { readonly kind: "kept"; readonly id: string }
  | { readonly kind: "recorded"; readonly entry: Pick<RecordedRun, "name" | "logs">; readonly base: string };

/** What it answers: the head, pieces, and the end; or at any time an error, and nothing more. */
export type ReadAnswer =
  | { readonly type: "head"; readonly head: RunHead }
  | { readonly type: "piece"; readonly piece: RunPiece }
  | { readonly type: "end" }
  | { readonly type: "error"; readonly error: WireError };
