import { describe, expect, it } from "vitest";
import { Rng } from "../rng.ts";
import { bilingual, MIXED } from "./bilingual.ts";

const isEnglish = (text: string): boolean => /[A-Za-z]/.test(text);
const isJapanese = (text: string): boolean => /[\p{sc=Hira}\p{sc=Kana}\p{sc=Han}]/u.test(text);

describe("bilingual", () => {
  it("pins what a seed gives", () => {
    const rng = new Rng(1);
    const problem = bilingual.sample(rng, "train");
    expect(problem).toEqual({
      key: "bilingual 62 + 2 ; 64 + 1",
      prompt: "ミアはたまごを 62個持ち、 2個見つけ、 1個もらいました。今は何個ですか。",
      columns: {
        language: "ja",
        story: {
          start: 62,
          changes: [
            { verb: "finds", amount: 2 },
            { verb: "gets", amount: 1 },
          ],
        },
        solution: 65,
      },
    });
    expect(bilingual.trace(rng, problem)).toBe(
      " 62個持ち、 finds 2, 62 + 2 = 64, gets 1, 64 + 1 = 65,つまり 65個。</think><answer> 65</answer>",
    );
    expect(bilingual.pretrain(rng)).toBe(
      " 7個ずつ 7袋持ち、 7 * 7 = 49、 6個あげ、 49 - 6 = 43、 8個もらい、 43 + 8 = 51、 so 51. 13個持ち、 8個もらい、 13 + 8 = 21、つまり 21個。",
    );
  });

  it("asks in one language and demonstrates correctly", () => {
    const languages = new Set<unknown>();
    for (let i = 0; i < 400; i++) {
      const rng = new Rng(2, i);
      const problem = bilingual.sample(rng, "train", i % 3);
      const { language, solution } = problem.columns;
      languages.add(language);
      expect([isEnglish(problem.prompt), isJapanese(problem.prompt)]).toEqual([language === "en", language === "ja"]);
      expect(Number(solution) >= 0 && Number(solution) <= 99).toBe(true);
      expect(bilingual.check(problem.columns, bilingual.trace(rng, problem))).toBe(true);
    }
    expect(languages).toEqual(new Set(["en", "ja"]));
  });

  it("knows a problem again in the other language, with other people and things", () => {
    const prompts = new Map<string, Set<unknown>>();
    for (let i = 0; i < 1500; i++) {
      const { key, columns } = bilingual.sample(new Rng(3, i), "train", 0);
      prompts.set(key, (prompts.get(key) ?? new Set()).add(columns["language"]));
    }
    expect([...prompts.values()].filter((languages) => languages.size === 2).length).toBeGreaterThan(50);
  });

  it("mixes languages in some thoughts, and keeps to the problem's in the others", () => {
    let mixed = 0;
    let foreign = 0;
    const count = 1000;
    for (let i = 0; i < count; i++) {
      const rng = new Rng(4, i);
      const problem = bilingual.sample(rng, "train");
      const thought = bilingual.trace(rng, problem).split("</think>")[0] ?? "";
      if (isEnglish(thought) && isJapanese(thought)) mixed++;
      else if (isEnglish(thought) !== (problem.columns["language"] === "en")) foreign++;
    }
    // Of the mixed thoughts, a few are in one language by chance.
    expect(mixed / count).toBeGreaterThan(MIXED * 0.6);
    expect(mixed / count).toBeLessThan(MIXED);
    expect(foreign / count).toBeLessThan(0.12);
  });

  it("checks the number", () => {
    const check = (text: string, solution = 14): boolean =>
      bilingual.check({ language: "en", solution }, ` x</think><answer>${text}</answer>`);
    for (const right of [" 14", "14", "\n14\n"]) expect(check(right), right).toBe(true);
    for (const wrong of [" 15", " 1 4", " 14.", " 14個", " 014", " -14", " 1e1", " fourteen", " 14 or 15"]) {
      expect(check(wrong), wrong).toBe(false);
    }
    expect(check(" 0", 0)).toBe(true);
    expect(check(" ", 0)).toBe(false);
  });

  it("pretrains on every fact in range, in both languages", () => {
    const missing = new Set<string>();
    for (let left = 0; left <= 99; left++) {
      for (let right = 1; right <= 9; right++) {
        if (left + right <= 99) missing.add(`${left} + ${right} = ${left + right}`);
        if (left - right >= 0) missing.add(`${left} - ${right} = ${left - right}`);
        if (left > 1 && left < 10 && right > 1) missing.add(`${left} * ${right} = ${left * right}`);
      }
    }
    const wanted = new Set(missing);
    let both = 0;
    const count = 12_000;
    for (let i = 0; i < count; i++) {
      const line = bilingual.pretrain(new Rng(5, i));
      if (isEnglish(line) && isJapanese(line)) both++;
      for (const [fact] of line.matchAll(/\d+ [+*-] \d+ = \d+/g)) {
        expect(wanted.has(fact), fact).toBe(true);
        missing.delete(fact);
      }
    }
    expect([...missing]).toEqual([]);
    expect(both / count).toBeGreaterThan(0.4);
  });
});
