import { describe, expect, it } from "vitest";
import { ortFailure } from "./failure.ts";

describe("what ONNX Runtime throws", () => {
  const file = "onnx/model.onnx: ONNX Runtime cannot load it";
  it.each([
    ["a status", new Error("ERROR_CODE: 1, ERROR_MESSAGE: no such operator"), "E_FORMAT", "E_INTERNAL", false],
    ["full memory", new Error("failed to allocate a buffer of size 9"), "E_OUT_OF_MEMORY", "E_OUT_OF_MEMORY", false],
    [
      "an abort for want of memory",
      new WebAssembly.RuntimeError("Aborted(OOM)"),
      "E_OUT_OF_MEMORY",
      "E_OUT_OF_MEMORY",
      true,
    ],
    ["an abort", new WebAssembly.RuntimeError("Aborted(native code called abort())"), "E_FORMAT", "E_WORKER", true],
    ["a trap", new WebAssembly.RuntimeError("index out of bounds"), "E_FORMAT", "E_WORKER", true],
    ["a stack that is full", new RangeError("Maximum call stack size exceeded"), "E_FORMAT", "E_WORKER", true],
    ["an exception that nothing caught", 5_246_832, "E_FORMAT", "E_WORKER", true],
    [
      "a device lost while a session was made",
      new Error("another WebGPU EP inference session is being created."),
      "E_FORMAT",
      "E_WORKER",
      true,
    ],
  ] as const)("%s has a sentence, and says whether the worker is of use", (_, cause, onLoading, onRunning, restart) => {
    for (const [otherwise, code] of [
      ["E_FORMAT", onLoading],
      ["E_INTERNAL", onRunning],
    ] as const) {
      const error = ortFailure(cause, otherwise, file);
      expect(error.code).toBe(code);
      expect(error.details["restart"] === true).toBe(restart);
      expect(error.message).toMatch(/^onnx\/model\.onnx: ONNX Runtime cannot load it: \S/);
    }
  });

  it("repeats no control characters, and no more than a paragraph", () => {
    const { message } = ortFailure(new Error(`a\u001b[31m\n\u202e${"b".repeat(9000)}`), "E_FORMAT", "x");
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(message.length).toBeLessThan(600);
  });
});
