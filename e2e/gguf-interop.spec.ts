import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import type * as WllamaModule from "@wllama/wllama";

const ROOT = join(import.meta.dirname, "..");
const MODEL = "public/models/nano-r1";
const PROMPT = "<｜User｜>Use 3, 5 and 12 to make 20.<｜Assistant｜><think>\n";
const TOKENS = 48;

/** What llama.cpp's server adds to a completion's choice where probabilities are asked for. */
interface LlamaToken {
  readonly id: number;
}

function r1(...args: string[]): string {
  const command = [join(ROOT, "scripts/r1.mjs"), ...args, "--json", "--device", "software"];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** A page, llama.cpp's browser build and the exported models, from one origin without special headers: one thread. */
async function serve(models: string): Promise<Server> {
  const library = join(ROOT, "node_modules/@wllama/wllama/esm");
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [, kind, name] = /^\/(wllama|models)\/([\w./-]+)$/.exec(pathname) ?? [];
    if (pathname === "/") {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>llama.cpp</title>");
    } else if (kind === undefined || name === undefined || name.includes("..")) {
      response.statusCode = 404;
      response.end();
    } else {
      const type = name.endsWith(".wasm") ? "application/wasm" : "text/javascript";
      response.setHeader("content-type", kind === "wllama" ? type : "application/octet-stream");
      response.end(readFileSync(join(kind === "wllama" ? library : models, name)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

test.describe("llama.cpp in the same browser", () => {
  // Its WebAssembly has ten megabytes, compiled once for each model.
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), "r1-gguf-"));
  let server: Server | undefined;

  test.beforeAll(async () => {
    server = await serve(folder);
  });

  test.afterAll(async () => {
    await new Promise<void>((resolve) => void (server ? server.close(() => resolve()) : resolve()));
    rmSync(folder, { recursive: true });
  });

  for (const dtype of ["f32", "q4_0"]) {
    test(`loads our ${dtype} export and, where nothing is rounded, continues as we do`, async ({ page }) => {
      r1("export", "--model", MODEL, "--to", "gguf", "--dtype", dtype, "--out", join(folder, `${dtype}.gguf`));
      const { ids: prompt } = JSON.parse(r1("tokenize", "--model", MODEL, "--text", PROMPT)) as { ids: number[] };
      const { bos_token_id: bos } = JSON.parse(readFileSync(join(ROOT, MODEL, "config.json"), "utf8")) as {
        bos_token_id: number;
      };
      const address = server?.address();
      if (address === undefined || address === null || typeof address === "string") throw new Error("no server");
      await page.goto(`http://127.0.0.1:${address.port}/`);
      const found = await page.evaluate(
        async ({ model, text, tokens }) => {
          const library = "/wllama/index.js";
          const { Wllama } = (await import(library)) as typeof WllamaModule;
          const llama = new Wllama({ default: "/wllama/wasm/wllama.wasm" }, { suppressNativeLog: true });
          // Else a browser without what it needs fetches another build from a server of its makers.
          llama.setCompat(null);
          const blob = await (await fetch(model)).blob();
          await llama.loadModel([blob], {
            n_ctx: 256,
            n_threads: 1,
            n_gpu_layers: 0,
            n_parallel: 1,
            cache_type_k: "f32",
            cache_type_v: "f32",
            flash_attn: false,
          });
          const completion = await llama.createCompletion({
            prompt: text,
            max_tokens: tokens,
            temperature: 0,
            top_k: 1,
            n_probs: 1,
          });
          const isMultithread = llama.isMultithread();
          const [bosToken, eosToken, template] = [llama.getBOS(), llama.getEOS(), llama.getChatTemplate()];
          await llama.exit();
          return { completion, isMultithread, bosToken, eosToken, template };
        },
        { model: `/models/${dtype}.gguf`, text: PROMPT, tokens: TOKENS },
      );
      const [choice] = found.completion.choices;
      expect(found.isMultithread).toBe(false);
      expect(found.bosToken).toBe(bos);
      expect(found.template).toContain("<｜Assistant｜><think>");
      // llama.cpp puts BOS in front, as the metadata say.
      expect(found.completion.usage.prompt_tokens).toBe(1 + prompt.length);

      const { completions } = JSON.parse(
        r1(
          "generate",
          "--model",
          dtype === "f32" ? MODEL : join(folder, `${dtype}.gguf`),
          "--ids",
          [bos, ...prompt].join(","),
          "--greedy",
          "--max-new-tokens",
          String(TOKENS),
        ),
      ) as { completions: { ids: number[]; text: string }[] };
      const tokens = (choice?.logprobs as unknown as { content: LlamaToken[] } | null)?.content.map(({ id }) => id);
      const want = (completions[0]?.ids ?? []).filter((id) => id !== found.eosToken);
      expect(want.length).toBeGreaterThan(8);
      // Its products of other types round activations too: then only the first token has to agree.
      const compared = dtype === "f32" ? TOKENS : 1;
      expect(tokens?.filter((id) => id !== found.eosToken).slice(0, compared)).toEqual(want.slice(0, compared));
    });
  }
});
