import { describe, expect, it } from "vitest";
import { R1Error } from "../errors.ts";
import { ask, collect, failureCode, picked, startTestEngine, TINY } from "./testing.ts";

describe("a machine without WebGPU", () => {
  const start = () => startTestEngine(() => Promise.reject(new R1Error("E_NO_ADAPTER", "none")));

  it("answers on the processor where the request lets it choose, several samples too", async () => {
    const engine = start();
    const model = await engine.client.load({ ...picked(TINY), runtime: "auto" });
    expect(model).toMatchObject({ runtime: "onnx-wasm", instead: "no-device", hasTemplate: true });
    expect(model.weightBytes).toBeGreaterThan(100_000);
    const events = await collect(engine.client.generate(ask("Hi", { n: 2, alternatives: 3 })));
    const finished = events.filter((event) => event.type === "finished");
    expect(finished).toHaveLength(2);
    for (const { completion } of finished) expect(completion.ids.length).toBeGreaterThan(0);
    const again = await collect(engine.client.generate(ask("Hi", { n: 2 })));
    expect(again.filter((event) => event.type === "finished").map(({ completion }) => completion.ids)).toEqual(
      finished.map(({ completion }) => completion.ids),
    );
    await engine.client.unload();
    expect(await failureCode(collect(engine.client.generate(ask("Hi"))))).toBe("E_NO_MODEL");
  });

  it("says what is missing where a device was asked for", async () => {
    expect(await failureCode(start().client.load({ ...picked(TINY), runtime: "onnx-webgpu" }))).toBe("E_NO_ADAPTER");
  });
});
