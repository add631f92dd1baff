import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { createLocalTemplateHost } from "../../text/template-host.ts";
import { loadText } from "../../text/load-text.ts";
import { createTokenizer } from "../../text/tokenizer.ts";
import { nanoTokenizerConfig, nanoTokenizerJson } from "../tasks/nano-tokenizer.ts";
import { countdown } from "../tasks/countdown.ts";
import { splitOf } from "../tasks/task.ts";
import { exampleOrder } from "./examples.ts";
import { inPackOrder, inSequenceOrder, packScored } from "./packs.ts";
import { openProblems, taskProblems } from "./problems.ts";
import { scoreRewards } from "./reward-batch.ts";
import { createPromptWriter } from "./prompts.ts";

const files = { tokenizerConfig: nanoTokenizerConfig(), generationConfig: undefined, config: undefined };

describe("packing what is scored", () => {
  it("scores each completion token once, from the row before it", () => {
    const sequences = [
      { ids: [1, 2, 3, 4], promptLength: 2 },
      { ids: [5, 6], promptLength: 0 },
      { ids: [7, 8, 9], promptLength: 3 },
    ];
    const { packs, tokens } = packScored(sequences, 16);
    expect(packs).toHaveLength(1);
    const [pack] = packs;
    const ids = Array.from(pack?.batch.ids ?? []);
    const pairs = Array.from(pack?.batch.lossRows ?? [], (row, i) => [ids[row], pack?.batch.targets[i]]);
    // 5 has nothing before it; the third has no completion.
    expect(pairs.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
      [2, 3],
      [3, 4],
      [5, 6],
    ]);
    expect(tokens).toBe(3);
  });

  it("values go to the sequences' order and back, however they are packed", () => {
    const sequence = fc.record({
      ids: fc.array(fc.nat(50), { minLength: 1, maxLength: 9 }),
      promptLength: fc.nat(4),
    });
    fc.assert(
      fc.property(fc.array(sequence, { minLength: 1, maxLength: 12 }), fc.integer({ min: 9, max: 30 }), (all, room) => {
        const packed = packScored(all, room);
        // Each value is its own target, so that it can be recognised anywhere.
        const parts = packed.packs.map(({ batch }) => Float32Array.from(batch.targets));
        const { values, offsets } = inSequenceOrder(packed, parts, all.length);
        const wanted = all.flatMap(({ ids, promptLength }) => ids.slice(Math.max(1, promptLength)));
        expect(Array.from(values)).toEqual(wanted);
        packed.packs.forEach((pack, p) => expect(inPackOrder(pack, values, offsets)).toEqual(parts[p]));
      }),
    );
  });
});

describe("prompts", () => {
  it("a template rendered once writes what it writes each time", async () => {
    const read = { "tokenizer.json": nanoTokenizerJson(), "tokenizer_config.json": nanoTokenizerConfig() };
    const assets = await loadText(
      (file) => Promise.resolve(Object.entries(read).find(([name]) => name === file)?.[1]),
      () => Promise.resolve(undefined),
    );
    const tokenizer = createTokenizer({ tokenizerJson: nanoTokenizerJson(), ...files });
    const writer = await createPromptWriter(assets, tokenizer, createLocalTemplateHost());
    expect(tokenizer.decode(writer.ids("make 23 from 4 3 9"))).toBe(
      "<｜begin▁of▁sentence｜><｜User｜>make 23 from 4 3 9<｜Assistant｜><think>\n",
    );
    expect(writer.opening).toBe("<think>\n");
    expect(writer.startsInThink).toBe(true);
  });
});

describe("rewards", () => {
  it("that are no number are told, and count as not applying", () => {
    const rollout = {
      prompt: 0,
      promptIds: [1],
      ids: [2, 3],
      finished: true,
      text: "5",
      pieces: [],
      samplingLogps: [],
    };
    const problem = { prompt: "x", input: "x", columns: { solution: "5" } };
    // A length that no configuration allows: 0 / 0.
    const config = { ...parseGrpoConfig({ model: "m", task: "countdown" }), max_completion_length: 0 };
    const scored = scoreRewards({ ...config, reward_funcs: ["cosine", "countdown"] }, [problem], [rollout]);
    expect(scored.values).toEqual([[null, null]]);
    expect(scored.failures).toEqual(["reward function cosine gave NaN for 1 of 1 completions"]);
    expect(scored.unused).toEqual([false, true]);
  });
});

describe("problems", () => {
  it("a task's training and held-out problems never meet", () => {
    const problems = taskProblems(countdown, null, 4);
    const key = ({ columns }: { readonly columns: Readonly<Record<string, unknown>> }): string => {
      const numbers = columns["numbers"];
      const sorted = Array.isArray(numbers) ? numbers.map(Number).toSorted((a, b) => a - b) : [];
      return `countdown ${sorted.join(" ")} ${String(columns["target"])}`;
    };
    for (let i = 0; i < 200; i++) {
      expect(splitOf(key(problems.training(i, 0, 1)))).toBe("train");
      const held = problems.heldout(i);
      expect(held && splitOf(key(held))).toBe("heldout");
    }
  });

  it("a model that was not made for a task is told what it asks for, in training and in evaluation", () => {
    const [plain, told] = [taskProblems(countdown, null, 4), taskProblems(countdown, null, 4, true)];
    const { prompt } = plain.training(3, 0, 1);
    expect(told.training(3, 0, 1).prompt).toMatch(/<answer> and <\/answer>\.\n/);
    expect(told.training(3, 0, 1).prompt.endsWith(prompt)).toBe(true);
    expect(told.heldout(0)?.prompt).toContain("<answer>");
  });

  it("a dataset goes through all its training rows before it repeats one, and keeps the last eighth back", async () => {
    const rows = Array.from({ length: 16 }, (_, i) => JSON.stringify({ prompt: `p${i}`, solution: `${i}` })).join("\n");
    const source = await openProblems({ task: null, level: null, dataset: "d", seed: 1 }, () => Promise.resolve(rows));
    expect(source.size).toBe(14);
    const epoch = Array.from({ length: 7 }, (_, step) => [0, 1].map((i) => source.training(step, i, 2).prompt)).flat();
    expect(new Set(epoch).size).toBe(14);
    expect([source.heldout(0)?.prompt, source.heldout(1)?.prompt, source.heldout(2)]).toEqual([
      "p14",
      "p15",
      undefined,
    ]);
    expect(source.heldout(0)?.columns).toEqual({ solution: "14" });
  });

  it.each([
    ["{", "E_JSON", "line 1: no valid JSON"],
    ['{"prompt":"a"}\n[1]', "E_JSON", "line 2: expected a JSON object"],
    ['{"solution":"a"}', "E_FORMAT", "prompt is missing"],
    ['{"prompt":[{"role":"user"}]}', "E_FORMAT", "prompt is a list"],
    ['{"prompt":[{"role":"user","content":null}]}', "E_FORMAT", "content is null"],
    ["\n\n", "E_FORMAT", "no rows"],
  ])("%j is refused, naming the place", async (text, code, words) => {
    const open = openProblems({ task: null, level: null, dataset: "d", seed: 1 }, () => Promise.resolve(text));
    await expect(open).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string });
  });

  it("examples are gone through in a new order each epoch, the same for the same seed", () => {
    const order = exampleOrder(10, 5, 3);
    const first = [...order(0), ...order(1)];
    const second = [...order(2), ...order(3)];
    expect(first.toSorted((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(second.toSorted((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect(second).not.toEqual(first);
    expect([...exampleOrder(10, 5, 3)(2), ...exampleOrder(10, 5, 3)(3)]).toEqual(second);
  });
});
