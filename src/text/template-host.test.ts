import { describe, expect, it, vi } from "vitest";
import { isR1Error } from "../errors.ts";
import { renderTemplate } from "./render-template.ts";
import type { TemplateRequest } from "./render-template.ts";
import { createLocalTemplateHost, createWorkerTemplateHost } from "./template-host.ts";
import type { WorkerLike } from "./template-host.ts";

function request(template: string): TemplateRequest {
  return { template, messages: [], addGenerationPrompt: true };
}

/** A worker in this thread; templates `hang`, `crash` and `nonsense` stand for what a real one can do. */
class FakeWorker implements WorkerLike {
  terminated = false;
  #message: (message: unknown) => void = () => undefined;
  #failure: (reason: string) => void = () => undefined;

  post(value: TemplateRequest): void {
    const { template } = structuredClone(value);
    queueMicrotask(() => {
      if (template === "crash") this.#failure("out of memory");
      else if (template === "nonsense") this.#message({ ok: true, text: 5 });
      else if (template !== "hang") this.#message(structuredClone(renderTemplate(value)));
    });
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#message = listener;
  }

  onFailure(listener: (reason: string) => void): void {
    this.#failure = listener;
  }

  terminate(): void {
    this.terminated = true;
  }
}

function fakeHost(timeoutMs = 20) {
  const workers: FakeWorker[] = [];
  const spawn = vi.fn(() => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  });
  return { host: createWorkerTemplateHost(spawn, { timeoutMs }), workers };
}

const failsWith = (message: string) => ({ code: "E_TEMPLATE", message: expect.stringContaining(message) as string });

describe("template host in this thread", () => {
  it("renders, and reports errors by code", async () => {
    const host = createLocalTemplateHost();
    await expect(host.render(request("{{ 1 + 1 }}"))).resolves.toMatchObject({ text: "2" });
    await expect(host.render(request("{{ raise_exception('no') }}"))).rejects.toMatchObject(failsWith("no"));
  });
});

describe("template host with a worker", () => {
  it("starts one worker when it is first needed and keeps it, errors of templates included", async () => {
    const { host, workers } = fakeHost();
    expect(workers).toHaveLength(0);
    const results = await Promise.allSettled(["a", "{% bad", "c"].map((template) => host.render(request(template))));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(workers).toHaveLength(1);
  });

  it.each([
    ["hang", "longer than 20 ms"],
    ["crash", "out of memory"],
    ["nonsense", "wrong shape"],
  ])("replaces the worker after a %s", async (template, message) => {
    const { host, workers } = fakeHost();
    const bad = host.render(request(template));
    const good = host.render(request("good"));
    await expect(bad).rejects.toMatchObject(failsWith(message));
    await expect(good).resolves.toMatchObject({ text: "good" });
    expect(workers.map(({ terminated }) => terminated)).toEqual([true, false]);
  });

  it("reports a request that cannot be sent, and goes on", async () => {
    const { host } = fakeHost();
    const extra = { callback: (() => 1) as unknown as string };
    await expect(host.render({ ...request("a"), extra })).rejects.toMatchObject(failsWith("could not be handed"));
    await expect(host.render(request("b"))).resolves.toMatchObject({ text: "b" });
  });

  it("reports a worker that cannot be created", async () => {
    const host = createWorkerTemplateHost(() => {
      throw new Error("blocked by policy");
    });
    await expect(host.render(request("a"))).rejects.toMatchObject(failsWith("blocked by policy"));
  });

  it("ends what is under way when it is closed", async () => {
    const { host, workers } = fakeHost(10_000);
    const hanging = host.render(request("hang"));
    const waiting = host.render(request("a"));
    await Promise.resolve();
    host.dispose();
    for (const promise of [hanging, waiting, host.render(request("b"))]) {
      const error: unknown = await promise.catch((reason: unknown) => reason);
      expect(isR1Error(error) && error.message).toContain("closed");
    }
    expect(workers.every(({ terminated }) => terminated)).toBe(true);
  });
});
