import { describe, expect, it } from "vitest";
import { wantedRuntime } from "./wanted-runtime.ts";

describe("wantedRuntime", () => {
  it("takes the address's word where it is one of the runtimes, and leaves the choice to the engine else", () => {
    expect(wantedRuntime("?runtime=onnx-wasm")).toBe("onnx-wasm");
    expect(wantedRuntime("?a=1&runtime=webgpu")).toBe("webgpu");
    for (const search of ["", "?runtime=", "?runtime=cuda", "?other=webgpu"])
      expect(wantedRuntime(search)).toBe("auto");
  });
});
