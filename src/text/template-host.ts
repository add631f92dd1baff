import { R1Error } from "../errors.ts";
import { isObject } from "./fields.ts";
import { renderTemplate } from "./render-template.ts";
import type { RenderedTemplate, TemplateRequest, TemplateResult } from "./render-template.ts";

/** Where templates are rendered. */
export interface TemplateHost {
  /** @throws R1Error E_TEMPLATE when the template fails, takes too long or too much memory */
  render(request: TemplateRequest): Promise<RenderedTemplate>;
  dispose(): void;
}

/** A worker that answers each posted request with a `TemplateResult`. */
export interface WorkerLike {
  post(request: TemplateRequest): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called when the worker died or could not start. */
  onFailure(listener: (reason: string) => void): void;
  terminate(): void;
}

export interface WorkerHostOptions {
  /** Time for one rendering, the worker's start included, in milliseconds. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** Renders in this thread: for the project's own templates only, since nothing can stop a hostile one. */
export function createLocalTemplateHost(): TemplateHost {
  return {
    render: async (request) => renderedOf(renderTemplate(request)),
    dispose: () => undefined,
  };
}

/** Renders in a worker, one request after another. A worker that takes too long or dies is replaced for the next one. */
export function createWorkerTemplateHost(
  spawn: () => WorkerLike,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: WorkerHostOptions = {},
): TemplateHost {
  return new WorkerTemplateHost(spawn, timeoutMs);
}

class WorkerTemplateHost implements TemplateHost {
  readonly #spawn: () => WorkerLike;
  readonly #timeoutMs: number;
  #worker: WorkerLike | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** Ends the rendering in progress, whichever way it ends. */
  #settle: ((result: TemplateResult) => void) | undefined;
  #disposed = false;

  constructor(spawn: () => WorkerLike, timeoutMs: number) {
    this.#spawn = spawn;
    this.#timeoutMs = timeoutMs;
  }

  render(request: TemplateRequest): Promise<RenderedTemplate> {
    const result = this.#queue.then(() => this.#run(request));
    this.#queue = result.catch(() => undefined);
    return result.then(renderedOf);
  }

  dispose(): void {
    this.#disposed = true;
    this.#drop();
    this.#settle?.({ ok: false, message: "the template host was closed" });
  }

  async #run(request: TemplateRequest): Promise<TemplateResult> {
    if (this.#disposed) return { ok: false, message: "the template host was closed" };
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#drop();
        this.#settle?.({ ok: false, message: `the template took longer than ${this.#timeoutMs} ms and was stopped` });
      }, this.#timeoutMs);
      this.#settle = (result) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(result);
      };
      try {
        this.#open().post(request);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#settle({ ok: false, message: `the template could not be handed to its worker: ${reason}` });
      }
    });
  }

  #open(): WorkerLike {
    if (this.#worker) return this.#worker;
    const worker = this.#spawn();
    this.#worker = worker;
    worker.onMessage((message) => {
      if (worker !== this.#worker) return;
      const result = asResult(message);
      if (!result) this.#drop();
      this.#settle?.(result ?? { ok: false, message: "the template's worker gave an answer of the wrong shape" });
    });
    worker.onFailure((reason) => {
      if (worker !== this.#worker) return;
      this.#drop();
      this.#settle?.({ ok: false, message: `the template's worker failed: ${reason}` });
    });
    return worker;
  }

  #drop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

function asResult(message: unknown): TemplateResult | undefined {
  if (!isObject(message)) return undefined;
  const { ok, text, spans } = message;
  if (ok === true && typeof text === "string" && isSpans(spans, text.length)) return { ok: true, text, spans };
  if (ok === false && typeof message["message"] === "string") return { ok: false, message: message["message"] };
  return undefined;
}

/** A template is hostile: where its worker says that the reader's words stand must be places in the text. */
function isSpans(value: unknown, length: number): value is readonly number[] {
  if (!Array.isArray(value) || value.length % 2 !== 0) return false;
  let last = 0;
  for (const [i, at] of (value as readonly unknown[]).entries()) {
    if (typeof at !== "number" || !Number.isInteger(at) || at > length || at < last || (i % 2 === 1 && at === last))
      return false;
    last = at;
  }
  return true;
}

function renderedOf(result: TemplateResult): RenderedTemplate {
  if (result.ok) return { text: result.text, spans: result.spans };
  throw new R1Error("E_TEMPLATE", `chat template: ${result.message}`);
}
