import { describe, expect, it } from "vitest";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { REWARDS } from "../../train/rewards/rewards.ts";
import { adapterOf, FIRST_ADAPTER, withAdapter } from "./adapter-draft.ts";
import { checkDraft, expectationOf, formatRate, numberInput } from "./draft.ts";
import { FIELDS, GROUP_FIELDS, REWARD_NAMES } from "./fields.ts";
import { adapterSummary } from "./run-facts.ts";
import { draftConfig, isPreset, PRESET_NAMES, TASK_NAMES } from "./presets.ts";

describe("presets", () => {
  for (const preset of PRESET_NAMES) {
    for (const size of ["gpu", "software"] as const) {
      it.each(TASK_NAMES)(`${preset} on a ${size} device is a right configuration of %s`, (task) => {
        const draft = draftConfig(preset, size, task, "models/m");
        const config = parseGrpoConfig(draft);
        // Nothing was left for a default to fill in.
        expect(config).toEqual(draft);
        expect(isPreset(config, preset)).toBe(true);
        for (const name of config.reward_funcs) expect(REWARDS.has(name)).toBe(true);
      });
    }
  }

  it("differ from each other, and from what was changed", () => {
    for (const preset of PRESET_NAMES) {
      const draft = draftConfig(preset, "gpu", "countdown", "m");
      expect(PRESET_NAMES.filter((other) => isPreset(draft, other))).toEqual([preset]);
      expect(isPreset({ ...draft, beta: 0.5 }, preset)).toBe(false);
      expect(isPreset({ ...draft, max_steps: 7 }, preset)).toBe(true);
      expect(isPreset(withAdapter(draft, FIRST_ADAPTER, draft), preset)).toBe(true);
    }
  });
});

describe("the form's fields", () => {
  it("are fields of the configuration, each in one group", () => {
    const config = parseGrpoConfig({ model: "m", task: "countdown" });
    for (const name of Object.keys(FIELDS)) expect(config).toHaveProperty(name);
    expect(Object.values(GROUP_FIELDS).flat().toSorted()).toEqual(Object.keys(FIELDS).toSorted());
  });

  it("offer only choices that the configuration takes", () => {
    const least = { model: "m", task: "countdown" };
    for (const [name, field] of Object.entries(FIELDS)) {
      if (field.kind !== "choice") continue;
      for (const option of field.options) {
        const change = option === "sequence" ? { loss_type: "grpo" } : {};
        expect(() => parseGrpoConfig({ ...least, ...change, [name]: option })).not.toThrow();
      }
    }
    for (const name of REWARD_NAMES) expect(REWARDS.has(name), name).toBe(true);
  });
});

describe("an adapter in the form", () => {
  const draft = draftConfig("r1-zero", "gpu", "countdown", "models/m");
  const adapted = withAdapter(draft, FIRST_ADAPTER, draft);
  const issueOf = (change: object) => {
    const checked = checkDraft({ ...adapted, lora: { ...FIRST_ADAPTER, ...change } });
    if (!("issue" in checked)) throw new Error("the draft was accepted");
    return checked.issue;
  };

  it("makes a right configuration, and all weights do again", () => {
    const checked = checkDraft({ ...adapted, weights: "q4" });
    expect(checked).toMatchObject({ config: { lora: FIRST_ADAPTER, weights: "q4", sync_ref_model: false } });
    const full = withAdapter({ ...adapted, weights: "q4" }, null, draft);
    expect(full).toEqual(draft);
    expect(adapterOf(full)).toBeUndefined();
  });

  it("is complained about by its own fields, in both languages", () => {
    expect(issueOf({ r: 0 })).toMatchObject({ field: "lora", path: "lora.r" });
    expect(expectationOf(issueOf({ r: 0 }), "ja")).toBe("1 から 1024 までの整数を指定してください。");
    expect(issueOf({ lora_alpha: "much" }).path).toBe("lora.lora_alpha");
    expect(issueOf({ target_modules: [] }).path).toBe("lora.target_modules");
    expect(expectationOf(issueOf({ target_modules: [] }), "ja")).toBe("1 つ以上の層を指定してください。");
    const rounded = checkDraft({ ...draft, weights: "q4" });
    expect(rounded).toMatchObject({ issue: { field: "weights" } });
  });

  it("is said in a line", () => {
    expect(adapterSummary(draft)).toBeUndefined();
    expect(adapterSummary(adapted)).toBe("LoRA r 16, α 32 · all-linear");
    const small = { ...FIRST_ADAPTER, r: 4, target_modules: ["q_proj", "v_proj"] };
    expect(adapterSummary({ ...adapted, lora: small, weights: "q4" })).toBe("LoRA r 4, α 32 · q_proj, v_proj · q4");
  });
});

describe("a draft", () => {
  const draft = draftConfig("r1-zero", "gpu", "countdown", "models/m");
  const issueOf = (change: object) => {
    const checked = checkDraft({ ...draft, ...change });
    if (!("issue" in checked)) throw new Error("the draft was accepted");
    return checked.issue;
  };

  it("is complained about by its field, with what is expected", () => {
    expect(issueOf({ beta: -1 }).field).toBe("beta");
    expect(expectationOf(issueOf({ beta: -1 }), "en")).toBe("Expected a number from 0 to 1000.");
    expect(expectationOf(issueOf({ num_generations: 1 }), "ja")).toBe("2 から 1024 までの整数を指定してください。");
    expect(expectationOf(issueOf({ temperature: "warm" }), "ja")).toBe("0 より大きく 10 以下の数を指定してください。");
    expect(issueOf({ reward_weights: [1, "x"] }).field).toBe("reward_weights");
    expect(issueOf({ reward_funcs: [], reward_weights: [] }).field).toBe("reward_funcs");
    expect(expectationOf(issueOf({ beta: 0 }), "en")).toMatch(/^Expected a beta above 0/);
  });

  it("takes texts of inputs for numbers only where they are", () => {
    expect(["2e-4", " 3 ", "", "x", "1e999"].map(numberInput)).toEqual([2e-4, 3, "", "x", "1e999"]);
    expect([2e-4, 0, 0.01, 1.5e-5].map(formatRate)).toEqual(["2e-4", "0", "0.01", "1.5e-5"]);
  });
});
