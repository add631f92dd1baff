import * as v from "valibot";
import type { CheckpointFiles, PickedFile } from "../../engine/protocol.ts";

const stateSchema = v.pipe(v.string(), v.parseJson(), v.object({ global_step: v.number() }));

/** What a checkpoint holds beside the model: what only a resumed run needs. */
const RUN_FILES = new Set(["optimizer.safetensors", "reference.safetensors", "trainer_state.json"]);

/** Updates after which a checkpoint was made; 0 for files that do not say. */
export function checkpointStepOf(files: CheckpointFiles): number {
  const state = v.safeParse(stateSchema, new TextDecoder().decode(files["trainer_state.json"]));
  return state.success ? state.output.global_step : 0;
}

/** The model alone, as a folder that can be opened anywhere; in a folder of that name, which becomes the model's. */
export function modelFilesOf(files: CheckpointFiles, folder: string): PickedFile[] {
  return Object.entries(files)
    .filter(([path]) => !RUN_FILES.has(path))
    .map(([path, bytes]) => ({ path: `${folder}/${path}`, blob: new Blob([bytes]) }));
}

const ADAPTER_FILES = ["adapter_config.json", "adapter_model.safetensors"];

/** The adapter alone, in PEFT's layout. */
export function adapterFilesOf(files: CheckpointFiles): CheckpointFiles {
  return Object.fromEntries(Object.entries(files).filter(([path]) => ADAPTER_FILES.includes(path)));
}

const BLOCK = 512;

/** The files in one archive that every system opens: POSIX ustar. Names have at most 100 ASCII characters. */
export function tarOf(files: readonly PickedFile[], modified: Date): Blob {
  const parts: BlobPart[] = [];
  for (const { path, blob } of files) {
    parts.push(tarHeader(path, blob.size, modified), blob, new Uint8Array((BLOCK - (blob.size % BLOCK)) % BLOCK));
  }
  // Two empty blocks end it.
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

function tarHeader(path: string, size: number, modified: Date): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => header.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, path);
  put(100, `${octal(0o644, 7)}\0`);
  put(108, `${octal(0, 7)}\0`);
  put(116, `${octal(0, 7)}\0`);
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(Math.floor(modified.getTime() / 1000), 11)}\0`);
  // The checksum counts itself as spaces.
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\u{0}00");
  put(
    148,
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
  );
  return header;
}
