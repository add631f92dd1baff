/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return --
   what comes in is as `mutation.test.ts` sends it; a thread of Node's reads no TypeScript */
/** ONNX Runtime where it can be killed: loads a graph and takes a step, as the engine does. */
import { parentPort } from "node:worker_threads";
import * as ort from "onnxruntime-web/wasm";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

async function load({ graph, external, cache, kvHeads, headDim }) {
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: ["wasm"],
    externalData: external,
    logSeverityLevel: 4,
  });
  try {
    const int64 = (value, dims) => new ort.Tensor("int64", BigInt64Array.of(value), dims);
    const past = cache.names.map((name) => [name, new ort.Tensor(cache.type, [], [1, kvHeads, 0, headDim])]);
    const feeds = {
      input_ids: int64(1n, [1, 1]),
      attention_mask: int64(1n, [1, 1]),
      position_ids: int64(0n, [1, 1]),
      ...Object.fromEntries(past),
    };
    await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))));
    return "ran";
  } finally {
    await session.release();
  }
}

parentPort?.on("message", (message) => {
  load(message).then(
    (said) => parentPort?.postMessage({ said }),
    (error) =>
      parentPort?.postMessage({
        failed: error instanceof Error ? error.message : String(error),
        isError: error instanceof Error,
        isTrap: error instanceof WebAssembly.RuntimeError || error instanceof RangeError,
      }),
  );
});
parentPort?.postMessage({ said: "ready" });
