import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FIXTURES } from "../../testing-data.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { nodeFolder } from "../node/folder.ts";
import { readJson } from "../source.ts";
import { buildSafetensors, memoryFolder } from "../testing.ts";
import { peftFiles } from "./peft.ts";
import { exportedFolder } from "./testing.ts";

const ADAPTER = nodeFolder(join(FIXTURES, "qwen2-tiny"));
const FILE = { file: "adapter_model.safetensors" };

describe("PEFT export", () => {
  it("has PEFT's names, shapes and values", async () => {
    const folder = await exportedFolder(await peftFiles(ADAPTER));
    const [found, expected] = [await openCheckpoint(folder, FILE), await openCheckpoint(ADAPTER, FILE)];
    expect([...found.tensors.values()]).toEqual([...expected.tensors.values()]);
    for (const name of expected.tensors.keys()) expect(await found.read(name)).toEqual(await expected.read(name));
    const config = await readJson(ADAPTER, "adapter_config.json");
    expect(await readJson(folder, "adapter_config.json")).toEqual(config);
  });

  it.each([
    ["E_FILE_MISSING", "no adapter", {}],
    ["E_FORMAT", "another kind of adapter", { peft_type: "LOHA" }],
    ["E_FORMAT", "another rank than the tensors'", { r: 8 }],
    ["E_FORMAT", "a module that the configuration does not name", { target_modules: ["o_proj"] }],
  ])("refuses with %s %s", async (code, _, changed) => {
    const base = { peft_type: "LORA", base_model_name_or_path: "x", r: 2, lora_alpha: 4, target_modules: ["q_proj"] };
    const name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    const weights = buildSafetensors({ [name]: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) } });
    const config = { "adapter_config.json": JSON.stringify({ ...base, ...changed }) };
    const isMissing = code === "E_FILE_MISSING";
    const folder = memoryFolder({ "adapter_model.safetensors": weights, ...(isMissing ? {} : config) });
    await expect(peftFiles(folder)).rejects.toMatchObject({ code });
  });
});
