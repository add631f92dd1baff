import { describe, expect, it } from "vitest";
import { forbiddenImports } from "./import-rules.mjs";

const imports = (specifier) => `import { x } from "${specifier}";\n`;

describe("import directions", () => {
  it.each([
    ["kernels/rope/rope.ts", "../../gpu/device.ts"],
    ["kernels/rope/rope.ts", "../weights/half.ts"],
    ["gpu/device.ts", "../errors.ts"],
    ["model/load.ts", "../checkpoint/folder.ts"],
    ["text/load-text.ts", "../checkpoint/source.ts"],
    ["text/tokenizer.ts", "@huggingface/tokenizers"],
    ["train/rollout.ts", "../generate/generate.ts"],
    ["engine/host.ts", "./protocol.ts"],
    ["engine/host.ts", "../generate/generate.ts"],
    ["engine/protocol.ts", "../text/chat.ts"],
    ["app/store.ts", "../engine/client.ts"],
    ["app/App.tsx", "react"],
    ["app/learn/RewardsFigure.tsx", "../../train/rewards/rewards.ts"],
    ["app/learn/PackingFigure.tsx", "../../train/packing.ts"],
    ["train/run/reward-batch.ts", "../rewards/rewards.ts"],
    ["train/rewards/correctness.ts", "../grader/grade.ts"],
    ["train/record/read.ts", "../../checkpoint/json.ts"],
    ["embed/main.tsx", "../text/chat.ts"],
    ["embed/main.tsx", "../app/App.tsx"],
    ["cli/main.ts", "../gpu/node/open.ts"],
    ["cli/main.ts", "node:fs"],
    ["gpu/node/open.ts", "webgpu"],
    ["checkpoint/node/node-source.ts", "node:fs/promises"],
  ])("%s may import %s", (file, specifier) => {
    expect(forbiddenImports(file, imports(specifier))).toEqual([]);
  });

  it.each([
    ["gpu/device.ts", "../kernels/buffers.ts", "kernels/buffers.ts"],
    ["kernels/rope/rope.ts", "../../model/spec.ts", "model/spec.ts"],
    ["checkpoint/folder.ts", "../text/chat.ts", "text/chat.ts"],
    ["text/load-text.ts", "../checkpoint/folder.ts", "checkpoint/folder.ts"],
    ["model/session.ts", "../generate/generate.ts", "generate/generate.ts"],
    ["generate/generate.ts", "../train/loss.ts", "train/loss.ts"],
    ["ort/session.ts", "../train/loss.ts", "train/loss.ts"],
    ["train/loop.ts", "../engine/protocol.ts", "engine/protocol.ts"],
    ["engine/host.ts", "./client.ts", "engine/client.ts"],
    ["engine/client.ts", "./host.ts", "engine/host.ts"],
    ["app/store.ts", "../engine/host.ts", "engine/host.ts"],
    ["app/store.ts", "../generate/generate.ts", "generate/generate.ts"],
    ["app/learn/GroupFigure.tsx", "../../train/run/grpo.ts", "train/run/grpo.ts"],
    ["train/rewards/accuracy.ts", "../run/reward-batch.ts", "train/run/reward-batch.ts"],
    ["train/grpo/loss.ts", "../../kernels/loss/loss.ts", "kernels/loss/loss.ts"],
    ["train/packing.ts", "../gpu/device.ts", "gpu/device.ts"],
    ["cli/main.ts", "../engine/host.ts", "engine/host.ts"],
    ["model/load.ts", "react", "react"],
    ["kernels/rope/rope.ts", "valibot", "valibot"],
    ["model/load.ts", "node:fs", "node:fs"],
    ["checkpoint/folder.ts", "fs", "fs"],
    ["gpu/device.ts", "webgpu", "webgpu"],
    ["app/store.ts", "node:path", "node:path"],
    ["engine/host.ts", "../gpu/node/open.ts", "gpu/node/open.ts"],
    ["kernels/rope/rope.ts", "../testing.ts", "kernels/testing.ts"],
    ["cli/main.ts", "../gpu/node/test-device.ts", "gpu/node/test-device.ts"],
    ["cli/main.ts", "../../package.json", "package.json"],
  ])("%s may not import %s", (file, specifier, named) => {
    const [sentence, ...others] = forbiddenImports(file, `\n${imports(specifier)}`);
    expect(sentence).toMatch(new RegExp(`^src/${file}:2: `));
    expect(sentence).toContain(named);
    expect(others).toEqual([]);
  });

  it.each([
    `import type { Spec } from "../model/spec.ts";`,
    `import "../model/spec.ts";`,
    `export { spec } from "../model/spec.ts";`,
    `export * from "../model/spec.ts";`,
    `type Spec = import("../model/spec.ts").Spec;`,
    "const later = () => import('../model/spec.ts');",
    "const later = (name: string) => import(`../model/${name}.ts`);",
    "const later = (name: string) => import(name);",
    `const worker = () => new Worker(new URL("../model/worker.ts", import.meta.url));`,
  ])("sees %s", (source) => {
    expect(forbiddenImports("gpu/device.ts", source)).toHaveLength(1);
  });

  it("sees no import in text and comments", () => {
    const source = `// import { x } from "../model/spec.ts";\nconst text = 'import "../model/spec.ts"';`;
    expect(forbiddenImports("gpu/device.ts", source)).toEqual([]);
  });

  it("the page side knows of the worker only its types and the file to start", () => {
    const types = `import type { GenerateEvent } from "../generate/events.ts";`;
    const start = `const worker = new Worker(new URL("./worker.ts", import.meta.url));`;
    expect(forbiddenImports("engine/start.ts", `${types}\n${start}`)).toEqual([]);
    expect(forbiddenImports("engine/start.ts", imports("../generate/generate.ts"))).toHaveLength(1);
    expect(forbiddenImports("app/store.ts", types)).toHaveLength(1);
  });

  it("tests and their helpers may look anywhere", () => {
    for (const file of [
      "gpu/gpu.test.ts",
      "model/testing.ts",
      "text/testing/data.ts",
      "testing-data.ts",
      "gpu/node/test-setup.ts",
    ]) {
      expect(forbiddenImports(file, imports("../../generate/generate.ts") + imports("node:fs"))).toEqual([]);
    }
  });

  it("refuses a room that is not in the house", () => {
    expect(forbiddenImports("utils/misc.ts", "")).toHaveLength(1);
  });
});
