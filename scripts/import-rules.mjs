import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { parseAst } from "rolldown/parseAst";

/**
 * Holds the import directions of the rooms under src:
 *
 *     app, embed → engine (page side)
 *     engine (worker side), cli → train, generate, ort → model → kernels → gpu
 *     checkpoint and text are leaves that anything may use
 *     app, embed, train → train (plain parts): what of train is arithmetic and text alone
 *
 * Every room may use itself, errors.ts and visible-text.ts. Only cli and folders named `node` may use Node and Dawn. Tests may look
 * where they like, but nothing may import them or their helpers.
 */

/** The engine's page side; its other files are the worker's. */
const PAGE_SIDE = new Set(["engine/client.ts", "engine/protocol.ts", "engine/start.ts", "engine/worker-life.ts"]);

/** What belongs to no room. */
const COMMON = ["errors.ts", "visible-text.ts"];

const LEAVES = ["checkpoint", "text"];

/**
 * Plain functions over plain data, in files and folders: a page checks a configuration, reads a record, scores a
 * completion and explains a formula without a worker.
 */
const PLAIN_TRAIN = [
  "train/config/",
  "train/data/",
  "train/events.ts",
  "train/grader/",
  "train/grpo/",
  "train/packing.ts",
  "train/record/",
  "train/rewards/",
  "train/rng.ts",
  "train/schedule.ts",
  "train/tasks/",
];
const MODEL = ["model", "kernels", "gpu", ...LEAVES];
const TRAIN = ["train", "train (plain parts)"];

/**
 * @typedef {object} Room
 * @property {readonly string[]} rooms rooms it may import
 * @property {readonly string[]} [types] rooms it may import types from
 * @property {readonly string[]} [files] single files it may import
 * @property {readonly string[] | "any"} [packages] npm packages it may import; none if left out
 */

/** @type {Readonly<Record<string, Room>>} */
const ROOMS = {
  gpu: { rooms: [] },
  kernels: { rooms: ["gpu"] },
  // GGUF's vocabularies are written in text where Hugging Face's have bytes, and their texts tell what ends a reply.
  checkpoint: {
    rooms: [],
    files: ["text/byte-level.ts", "text/end-tokens.ts"],
    packages: ["valibot", "@noble/hashes"],
  },
  text: {
    rooms: [],
    files: ["checkpoint/source.ts"],
    packages: ["@huggingface/tokenizers", "valibot"],
  },
  model: { rooms: MODEL, packages: ["valibot"] },
  generate: { rooms: MODEL, packages: ["valibot"] },
  train: { rooms: ["train (plain parts)", "generate", ...MODEL], packages: ["valibot"] },
  // The generator's reference in TypeScript is as plain as they are.
  "train (plain parts)": { rooms: LEAVES, files: ["kernels/random/threefry.ts"], packages: ["valibot"] },
  ort: { rooms: MODEL, packages: ["onnxruntime-web", "valibot"] },
  "engine (worker side)": {
    rooms: [...TRAIN, "generate", "ort", ...MODEL],
    files: ["engine/protocol.ts", "engine/worker-life.ts"],
    packages: ["valibot"],
  },
  // What the page is told has the types of what the worker does; the worker's own file is named to start it.
  "engine (page side)": {
    rooms: LEAVES,
    types: [...TRAIN, "generate", "ort", ...MODEL],
    files: ["engine/worker.ts"],
    packages: ["valibot"],
  },
  app: { rooms: ["engine (page side)", "train (plain parts)", ...LEAVES], packages: "any" },
  embed: { rooms: ["engine (page side)", "train (plain parts)", "app", ...LEAVES], packages: "any" },
  cli: { rooms: [...TRAIN, "generate", "ort", ...MODEL], packages: ["valibot"] },
};

/** Tests, and what is called `testing` or begins with `testing-` or `test-`. */
const isTest = (file) => /\.test\.tsx?$|(^|\/)(testing|testing-[^/]+|test-[^/]+)(\/|\.ts$)/.test(file);
const isForNode = (file) => file.startsWith("cli/") || file.includes("/node/");

/** @param {string} file path under src */
function roomOf(file) {
  const [folder] = file.split("/");
  if (PLAIN_TRAIN.some((part) => file === part || (part.endsWith("/") && file.startsWith(part)))) {
    return "train (plain parts)";
  }
  if (folder !== "engine") return folder;
  return PAGE_SIDE.has(file) ? "engine (page side)" : "engine (worker side)";
}

/**
 * What is wrong with the imports of one source file.
 * @param {string} file path under src, with slashes
 * @param {string} source its text
 * @returns {string[]} one sentence for each forbidden import, beginning with file and line
 */
export function forbiddenImports(file, source) {
  if (COMMON.includes(file) || isTest(file)) return [];
  const room = ROOMS[roomOf(file)];
  if (!room) return [`src/${file}:1: belongs to no room; rooms are ${Object.keys(ROOMS).join(", ")}`];
  const found = [];
  for (const { target, offset, typeOnly } of importsOf(file, source)) {
    const wrong =
      target === undefined ? "imports a computed path, which cannot be checked" : judge(file, room, target, typeOnly);
    if (wrong) found.push(`src/${file}:${source.slice(0, offset).split("\n").length}: ${wrong}`);
  }
  return found;
}

function judge(file, room, specifier, typeOnly) {
  const name = roomOf(file);
  if (!specifier.startsWith(".")) {
    if (isBuiltin(specifier) || specifier === "webgpu") {
      return isForNode(file) ? undefined : `imports ${specifier}, which only cli and folders named node may`;
    }
    const parts = specifier.split("/");
    const packageName = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
    if (room.packages === "any" || room.packages?.includes(packageName)) return undefined;
    return `imports the package ${packageName}, which ${name} may not; it may use ${room.packages?.join(", ") ?? "none"}`;
  }
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith("../")) return `imports ${specifier} from outside src`;
  if (COMMON.includes(target) || room.files?.includes(target)) return undefined;
  if (isTest(target)) return `imports ${target}, which is for tests`;
  if (isForNode(target) && !isForNode(file)) return `imports ${target}, which only runs in Node`;
  const targetRoom = roomOf(target);
  if (targetRoom === name || room.rooms.includes(targetRoom)) return undefined;
  if (room.types?.includes(targetRoom)) {
    return typeOnly ? undefined : `imports more than types from ${target}`;
  }
  return `imports ${target}, but ${name} may only import from ${["itself", ...room.rooms, ...(room.files ?? [])].join(", ")}`;
}

/** Every module a file names: imports, re-exports, import() as a value and as a type, and `new URL(…, import.meta.url)`. */
function importsOf(file, source) {
  const found = [];
  const visit = (node) => {
    if (Array.isArray(node)) for (const item of node) visit(item);
    if (typeof node?.type !== "string") return;
    const add = (path, typeOnly) => found.push({ target: textOf(path), offset: node.start, typeOnly });
    switch (node.type) {
      case "ImportDeclaration":
        add(node.source, node.importKind === "type");
        break;
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration":
        if (node.source) add(node.source, node.exportKind === "type");
        break;
      case "ImportExpression":
        add(node.source, false);
        break;
      case "TSImportType":
        add(node.source, true);
        break;
      case "NewExpression": {
        const [path, base] = node.arguments;
        const ofModule = base?.type === "MemberExpression" && base.object.type === "MetaProperty";
        if (node.callee.name === "URL" && ofModule && textOf(path)?.startsWith(".")) add(path, false);
        break;
      }
    }
    for (const value of Object.values(node)) if (typeof value === "object") visit(value);
  };
  visit(parseAst(source, { lang: file.endsWith("x") ? "tsx" : "ts" }).body);
  return found;
}

/** The text of a string literal, or the part of a template before its first expression: `./${language}.ts` stays in its folder. */
function textOf(node) {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  return (node.type === "TemplateLiteral" && node.quasis[0].value.cooked) || undefined;
}
