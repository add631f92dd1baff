import { afterEach, expect, it, vi } from "vitest";
import { browserTemplateWorker } from "./browser-template-worker.ts";
import type { TemplateRequest } from "./render-template.ts";
import { createWorkerTemplateHost } from "./template-host.ts";

/** A web worker's two ends, with the entry file running at the far one. */
class LocalWorker extends EventTarget {
  readonly terminate = vi.fn();
  readonly #scope: { onmessage?: (event: MessageEvent) => void; postMessage: (data: unknown) => void };

  constructor() {
    super();
    this.#scope = {
      postMessage: (data) => this.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })),
    };
    vi.stubGlobal("self", this.#scope);
  }

  postMessage(data: unknown): void {
    this.#scope.onmessage?.(new MessageEvent("message", { data: structuredClone(data) }));
  }
}

const request: TemplateRequest = {
  template: "{{ messages[0].content }}!",
  messages: [{ role: "user", content: "Hello" }],
  addGenerationPrompt: true,
};

afterEach(() => vi.unstubAllGlobals());

it("renders in a web worker", async () => {
  const worker = new LocalWorker();
  await import("./template-worker.ts");
  const host = createWorkerTemplateHost(() => browserTemplateWorker(worker as unknown as Worker));
  await expect(host.render(request)).resolves.toEqual({ text: "Hello!", spans: [0, 5] });
  host.dispose();
  expect(worker.terminate).toHaveBeenCalledOnce();
});

it("reports a web worker that fails", async () => {
  const worker = new LocalWorker();
  const host = createWorkerTemplateHost(() => browserTemplateWorker(worker as unknown as Worker));
  const rendering = host.render(request);
  await Promise.resolve();
  worker.dispatchEvent(new Event("error"));
  await expect(rendering).rejects.toMatchObject({
    code: "E_TEMPLATE",
    message: expect.stringContaining("could not be started") as string,
  });
});
