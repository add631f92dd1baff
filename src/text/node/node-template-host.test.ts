import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TemplateRequest } from "../render-template.ts";
import { createNodeTemplateHost } from "./node-template-host.ts";

const folder = mkdtempSync(join(tmpdir(), "template-worker-"));
const workerUrl = pathToFileURL(join(folder, "template-worker-node.mjs"));

function request(template: string): TemplateRequest {
  return { template, messages: [{ role: "user", content: "Hello" }], addGenerationPrompt: true };
}

const HOSTILE: readonly (readonly [string, string])[] = [
  [
    "a loop that will not end",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
  ],
  [
    "a list that takes all memory",
    "{% set ns = namespace(x=range(100000)) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
  ],
  [
    "a text that takes all memory",
    "{% set ns = namespace(x='abcdefgh') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|upper }}",
  ],
  ["a huge range", "{{ range(100000000)|length }}"],
];

describe("template host in a Node process", () => {
  beforeAll(async () => {
    const input = join(import.meta.dirname, "template-worker-node.ts");
    await build({
      input,
      platform: "node",
      logLevel: "silent",
      output: { dir: folder, format: "esm", entryFileNames: "[name].mjs" },
    });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("renders in the bundled process", async () => {
    const host = createNodeTemplateHost({ workerUrl });
    await expect(host.render(request("{{ messages[0].content }}!"))).resolves.toEqual({
      text: "Hello!",
      spans: [0, 5],
    });
    host.dispose();
  });

  it.each(HOSTILE)("survives %s, and renders the next template", async (_, template) => {
    const host = createNodeTemplateHost({ workerUrl, timeoutMs: 3_000 });
    await expect(host.render(request(template))).rejects.toMatchObject({ code: "E_TEMPLATE" });
    await expect(host.render(request("{{ messages[0].content }}"))).resolves.toEqual({ text: "Hello", spans: [0, 5] });
    host.dispose();
  });

  it("says what may be wrong when the worker's file is missing", async () => {
    const host = createNodeTemplateHost({ workerUrl: pathToFileURL(join(folder, "absent.mjs")) });
    const message = expect.stringContaining("the file is missing") as string;
    await expect(host.render(request("a"))).rejects.toMatchObject({ code: "E_TEMPLATE", message });
    host.dispose();
  });
});
