import { beforeEach, expect, it } from "vitest";
import { decodeState, encodeState } from "../share/state-query.ts";
import { FIRST_ADAPTER } from "./adapter-draft.ts";
import { useForm } from "./form-store.ts";
import { labShare } from "./lab-share.ts";
import { draftConfig } from "./presets.ts";

const MODEL = "models/nano-cold";
const form = () => useForm.getState();

/** What another reader's page makes of the link. */
async function open(query: URLSearchParams) {
  form().take("r1-zero", draftConfig("r1-zero", "gpu", "countdown", MODEL));
  const { state, problem } = await decodeState(query, labShare.entries);
  return { problem, refused: await labShare.write(state) };
}

beforeEach(() => form().take("r1-zero", draftConfig("r1-zero", "gpu", "countdown", MODEL)));

it("brings the whole form, by the fields that differ from the preset", async () => {
  form().choosePreset("dapo");
  form().chooseTask("bilingual");
  form().set("learning_rate", 1e-4);
  form().set("soft_punish_cache", null);
  form().set("reward_funcs", ["accuracy", "language_consistency"]);
  form().set("reward_weights", [1, 0.25]);
  const { config } = form();
  const query = await encodeState(labShare.read());
  expect(query.get("learning_rate")).toBe("0.0001");
  expect(query.has("beta")).toBe(false);
  expect(await open(query)).toEqual({ problem: undefined, refused: [] });
  expect(form().preset).toBe("dapo");
  expect(form().config).toEqual(config);
});

it("brings an adapter, and the format of the weights under it", async () => {
  form().setAdapter({ ...FIRST_ADAPTER, r: 4, lora_alpha: 8, target_modules: ["q_proj", "v_proj"] });
  form().set("weights", "q4");
  const { config } = form();
  const query = await encodeState(labShare.read());
  expect(Object.fromEntries(query)).toMatchObject({ lora_r: "4", lora_alpha: "8", weights: "q4" });
  // What an adapter needs of the other fields goes without saying.
  expect(query.has("sync_ref_model")).toBe(false);
  expect(await open(query)).toEqual({ problem: undefined, refused: [] });
  expect(form().config).toEqual(config);
});

it("drops an adapter that is none, and weights that only stand under one", async () => {
  const query = await encodeState({ lora_r: 0, weights: "q4", lora_modules: ["q_proj", "c_attn"], lora_evil: 1 });
  const { problem, refused } = await open(query);
  expect(problem).toEqual({ kind: "fields", fields: ["lora_modules"] });
  expect(refused).toEqual(["lora", "weights"]);
  expect(form().config).toMatchObject({ lora: null, weights: null });
});

it("leaves out a model that is the reader's own", () => {
  form().set("model", "runs/mine");
  expect(labShare.read()).not.toHaveProperty("model");
});

it("keeps the preset's value for what is wrong, and says which fields", async () => {
  const query = new URLSearchParams("beta=many&epsilon=7&temperature=0.5&model=https://evil.example/&unknown=1");
  const { problem, refused } = await open(query);
  expect(problem).toEqual({ kind: "fields", fields: ["beta", "model"] });
  expect(refused).toEqual(["epsilon"]);
  expect(form().config).toMatchObject({ beta: 0.001, epsilon: 0.2, temperature: 0.5, model: MODEL });
});

it("falls back to the preset where the fields do not go together", async () => {
  // The preset punishes overlong completions over more tokens than this leaves.
  const query = new URLSearchParams("algorithm=dapo&max_completion_length=10&beta=0.5");
  const { refused } = await open(query);
  expect(refused).toEqual(["max_completion_length", "beta"]);
  expect(form().config).toEqual(draftConfig("dapo", "gpu", "countdown", MODEL));
});
