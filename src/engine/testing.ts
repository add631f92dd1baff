import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryLibrary } from "../checkpoint/hub/memory-library.ts";
import { isR1Error } from "../errors.ts";
import type { ErrorCode, R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { openNodeGpu } from "../gpu/node/open.ts";
import { openChecked } from "../gpu/self-test.ts";
import { createLocalTemplateHost } from "../text/template-host.ts";
import { EngineClient } from "./client.ts";
import { EngineHost } from "./host.ts";
import type { FromWorker, GenerateCall, GenerateEvent, LoadRequest, PickedFile, ToWorker } from "./protocol.ts";

export const TINY = join(import.meta.dirname, "../../public/models/tiny-random");

/** The engine as the page has it, its worker in this thread: messages are copied and arrive later, as a worker's do. */
export interface TestEngine {
  readonly client: EngineClient;
  /** All that the worker has sent. */
  readonly sent: readonly FromWorker[];
  /** Devices in the order in which they were opened. */
  readonly devices: readonly GpuContext[];
  /** Buffers alive on the last device. */
  readonly liveBuffers: number;
  readonly post: (message: ToWorker) => void;
}

/**
 * @param openGpu opens the machine's software device by default
 * @param deviceMemoryGiB what a browser would tell of the machine's memory
 */
export function startTestEngine(
  openGpu: () => Promise<GpuContext> = openTestGpu,
  deviceMemoryGiB?: number,
): TestEngine {
  const sent: FromWorker[] = [];
  const devices: GpuContext[] = [];
  let listener = (_message: FromWorker): void => undefined;
  const library = new MemoryLibrary();
  const host = new EngineHost({
    openGpu: async () => {
      const gpu = await openGpu();
      devices.push(gpu);
      return gpu;
    },
    library: async () => library,
    deviceMemoryGiB,
    templates: createLocalTemplateHost(),
    post: (message, transfer = []) => {
      const copy = structuredClone(message, { transfer: [...transfer] });
      sent.push(copy);
      setTimeout(() => listener(copy), 0);
    },
  });
  const post = (message: ToWorker): void => {
    const copy = structuredClone(message);
    setTimeout(() => host.handle(copy), 0);
  };
  const client = new EngineClient({
    post,
    onMessage: (listen) => (listener = listen),
    onFailure: () => undefined,
    terminate: () => undefined,
  });
  return {
    client,
    sent,
    devices,
    get liveBuffers() {
      return devices.at(-1)?.arena.liveBuffers ?? 0;
    },
    post,
  };
}

function openTestGpu(): Promise<GpuContext> {
  const choice = process.env["R1_TEST_DEVICE"] === "auto" ? "auto" : "software";
  return openChecked((options) => openNodeGpu(choice, options));
}

/** A folder on disk as files that a reader has picked; `changes` replaces files, or removes those that are undefined. */
export function pick(folder: string, changes: Readonly<Record<string, BlobPart | undefined>> = {}): PickedFile[] {
  const onDisk = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  const files = Object.entries({ ...onDisk, ...changes });
  return files.flatMap(([name, content]) =>
    content === undefined ? [] : [{ path: `picked/${name}`, blob: new Blob([content]) }],
  );
}

/** A request for a folder on disk, with changes. */
export function picked(folder: string, changes?: Readonly<Record<string, BlobPart | undefined>>): LoadRequest {
  return { source: { kind: "files", files: pick(folder, changes) } };
}

/** A question in words. */
export function ask(question: string, options: GenerateCall["options"] = {}): GenerateCall {
  return {
    prompt: { messages: [{ role: "user", content: question }] },
    options: { maxNewTokens: 12, thinkMax: 6, ...options },
  };
}

/** All events of a generation. */
export async function collect(events: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const all: GenerateEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The error that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<R1Error> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isR1Error(error)) return error;
  throw new Error(`expected an R1Error, found ${String(error)}`);
}

export async function failureCode(call: Promise<unknown>): Promise<ErrorCode> {
  return (await failure(call)).code;
}

/** Calls that were answered more than once, or of which more was said after their answer. */
export function answeredWrongly(sent: readonly FromWorker[]): number[] {
  const answered = new Set<number>();
  return sent.flatMap((message) => {
    if (message.type === "device-lost") return [];
    if (answered.has(message.id)) return [message.id];
    if (message.type !== "progress") answered.add(message.id);
    return [];
  });
}
