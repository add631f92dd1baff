import { describe, expect, it } from "vitest";
import { hasData, readData, titleWithData } from "../node/test-data.ts";
import { buildSafetensors, frameSafetensors, memoryFolder } from "../testing.ts";
import type { MemoryFolder } from "../testing.ts";
import { TENSOR_DTYPES } from "./dtype.ts";
import { MAX_HEADER_BYTES, openSafetensors } from "./file.ts";
import type { SafetensorsFile } from "./file.ts";

async function openBytes(
  bytes: Uint8Array,
  folder: MemoryFolder = memoryFolder({ x: bytes }),
): Promise<SafetensorsFile> {
  const source = await folder.open("x");
  if (!source) throw new Error("the test's file is missing");
  return openSafetensors(source);
}

/** A file with this JSON as its header and zeros as its data. */
function open(header: string, dataBytes = 0): Promise<SafetensorsFile> {
  return openBytes(frameSafetensors(header, new Uint8Array(dataBytes)));
}

const INFO = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';

describe("the header", () => {
  it("gives tensors in the order of their data", async () => {
    const file = await open(
      `{"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"__metadata__":{"format":"pt"},"a":{${INFO}}}`,
      11,
    );
    expect(file.metadata).toEqual({ format: "pt" });
    expect(file.tensors).toEqual([
      { name: "a", dtype: "F32", shape: [2], begin: 0, end: 8 },
      { name: "b", dtype: "U8", shape: [3], begin: 8, end: 11 },
    ]);
  });

  it("may describe nothing, scalars and tensors without elements", async () => {
    expect((await open("{}")).tensors).toEqual([]);
    const file = await open(
      `{"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"y":{"dtype":"I64","shape":[0,7],"data_offsets":[8,8]},"z":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`,
      8,
    );
    expect(file.tensors.map(({ name }) => name)).toEqual(["z", "s", "y"]);
  });

  it("may end in white space and have fields that are not known", async () => {
    await expect(open(`{"a":{${INFO},"future":{"x":[null,true,-1.5e3]}}} \n\t\r`, 8)).resolves.toBeDefined();
  });

  it("takes every dtype of the reference parser", async () => {
    for (const dtype of TENSOR_DTYPES) {
      const bytes = { F4: 4, F6_E2M3: 6, F6_E3M2: 6 }[dtype as string] ?? Number(/\d+/.exec(dtype)?.[0] ?? 8);
      const header = `{"a":{"dtype":"${dtype}","shape":[8],"data_offsets":[0,${bytes}]}}`;
      await expect(open(header, bytes), dtype).resolves.toBeDefined();
      await expect(open(header.replace(`${bytes}]`, `${bytes + 1}]`), bytes + 1), dtype).rejects.toMatchObject({
        code: "E_TENSOR_INFO",
      });
    }
  });

  it("keeps dangerous names harmless", async () => {
    const names = ["__proto__", "constructor", "toString", ""];
    const tensors = names.map((name) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
    const file = await open(`{${tensors.join()},"__metadata__":{"__proto__":"x","constructor":"y"}}`);
    expect(file.tensors.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    expect(Object.entries(file.metadata)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(file.metadata["toString"]).toBeUndefined();
    expect(Reflect.has({}, "x")).toBe(false);
  });

  it.each([
    ["empty", "", "E_HEADER_INVALID", "begins with nothing"],
    ["white space before the brace", " {}", "E_HEADER_INVALID", 'begins with " "'],
    ["a byte order mark", "\ufeff{}", "E_HEADER_INVALID", "begins with"],
    ["an array", "[]", "E_HEADER_INVALID", 'begins with "["; expected "{"'],
    ["unfinished", '{"a":', "E_HEADER_INVALID", "found the end"],
    ["followed by something", "{}{}", "E_HEADER_INVALID", "expected nothing more"],
    ["a NUL after the brace", "{}\0", "E_HEADER_INVALID", "expected nothing more"],
    ["nested too deep", `{"a":{"x":${"[".repeat(100)}`, "E_HEADER_INVALID", "levels deep"],
    ["a tensor twice", `{"a":{${INFO}},"a":{${INFO}}}`, "E_HEADER_INVALID", 'key "a" appears twice'],
    ["a tensor twice, in escapes", String.raw`{"a":{${INFO}},"\u0061":{${INFO}}}`, "E_HEADER_INVALID", "twice"],
    ["a field twice", `{"a":{${INFO},"dtype":"F32"}}`, "E_HEADER_INVALID", 'key "dtype" appears twice'],
    ["metadata twice", '{"__metadata__":{},"__metadata__":{}}', "E_HEADER_INVALID", 'key "__metadata__" appears twice'],
    ["a key of metadata twice", '{"__metadata__":{"a":"1","a":"2"}}', "E_HEADER_INVALID", 'key "a" appears twice'],
    ["metadata null", '{"__metadata__":null}', "E_HEADER_INVALID", "__metadata__: found JSON null; expected object"],
    ["metadata nested", '{"__metadata__":{"a":{}}}', "E_HEADER_INVALID", '__metadata__ "a": found JSON object'],
    ["metadata of numbers", '{"__metadata__":{"a":1}}', "E_HEADER_INVALID", "found JSON number; expected string"],
    ["a tensor that is a list", '{"a":["F32",[2],[0,8]]}', "E_TENSOR_INFO", 'tensor "a": found JSON array'],
    ["no dtype", '{"a":{"shape":[2],"data_offsets":[0,8]}}', "E_TENSOR_INFO", 'tensor "a" has no dtype'],
    ["no shape", '{"a":{"dtype":"F32","data_offsets":[0,8]}}', "E_TENSOR_INFO", 'tensor "a" has no shape'],
    ["no offsets", '{"a":{"dtype":"F32","shape":[2]}}', "E_TENSOR_INFO", 'tensor "a" has no data_offsets'],
    [
      "an unknown dtype",
      `{"a":{${INFO.replace("F32", "Q4")}}}`,
      "E_DTYPE",
      'tensor "a" dtype: found "Q4"; expected one of',
    ],
    ["a dtype from the prototype", `{"a":{${INFO.replace("F32", "constructor")}}}`, "E_DTYPE", "constructor"],
    ["a dtype in small letters", `{"a":{${INFO.replace("F32", "f32")}}}`, "E_DTYPE", "f32"],
    ["a dtype that is a number", `{"a":{${INFO.replace('"F32"', "32")}}}`, "E_TENSOR_INFO", "found JSON number"],
    ["a negative size", `{"a":{${INFO.replace("[2]", "[-2]")}}}`, "E_TENSOR_INFO", 'shape: found "-2"'],
    ["a size with a fraction", `{"a":{${INFO.replace("[2]", "[2.0]")}}}`, "E_TENSOR_INFO", 'shape: found "2.0"'],
    ["a size with an exponent", `{"a":{${INFO.replace("[2]", "[2e0]")}}}`, "E_TENSOR_INFO", 'shape: found "2e0"'],
    ["a size in a string", `{"a":{${INFO.replace("[2]", '["2"]')}}}`, "E_TENSOR_INFO", "shape: found JSON string"],
    ["a shape that is a number", `{"a":{${INFO.replace("[2]", "2")}}}`, "E_TENSOR_INFO", "shape: found JSON number"],
    ["too many dimensions", `{"a":{${INFO.replace("[2]", `[2${",1".repeat(64)}]`)}}}`, "E_TENSOR_INFO", "more than 64"],
    ["a size of 2^53", `{"a":{${INFO.replace("[2]", `[${2 ** 53}]`)}}}`, "E_TENSOR_INFO", "from 0 to 9007199254740991"],
    ["one offset", `{"a":{${INFO.replace("[0,8]", "[8]")}}}`, "E_TENSOR_OFFSETS", "expected [begin, end]"],
    ["three offsets", `{"a":{${INFO.replace("[0,8]", "[0,8,8]")}}}`, "E_TENSOR_OFFSETS", "more than 2"],
    ["a negative offset", `{"a":{${INFO.replace("[0,8]", "[-8,8]")}}}`, "E_TENSOR_OFFSETS", '"-8"'],
    ["offsets null", `{"a":{${INFO.replace("[0,8]", "null")}}}`, "E_TENSOR_OFFSETS", "found JSON null"],
  ])("is refused: %s", async (_, header, code, problem) => {
    await expect(open(header, 8)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^x: /) as string,
      details: { file: "x" },
    });
    await expect(open(header, 8)).rejects.toThrow(problem);
  });

  it("is refused when it is not UTF-8", async () => {
    await expect(openBytes(frameSafetensors(Uint8Array.of(0x7b, 0x22, 0xff, 0x22)))).rejects.toMatchObject({
      code: "E_HEADER_INVALID",
      message: "x: the header is not UTF-8",
    });
  });

  it("stops at a number of tensors", async () => {
    const tensors = Array.from({ length: 200_001 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
    await expect(open(`{${tensors.join()}}`)).rejects.toThrow("more than 200000 tensors");
  });
});

describe("its length", () => {
  function withLength(length: bigint, rest = 0): Uint8Array<ArrayBuffer> {
    const file = new Uint8Array(8 + rest);
    new DataView(file.buffer).setBigUint64(0, length, true);
    return file;
  }

  it.each([
    ["over the limit", 25_000_001n, "E_HEADER_TOO_LARGE", "x: header of 25000001 bytes; the limit is 25000000"],
    ["of 4 GiB", 2n ** 32n, "E_HEADER_TOO_LARGE", "x: header of 4294967296 bytes; the limit is 25000000"],
    [
      "of 64 bits",
      2n ** 64n - 1n,
      "E_HEADER_TOO_LARGE",
      "x: header of 18446744073709551615 bytes; the limit is 25000000",
    ],
    ["past the end", 11n, "E_FILE_TRUNCATED", "x: header of 11 bytes; only 10 follow its length"],
    [
      "at the limit, past the end",
      25_000_000n,
      "E_FILE_TRUNCATED",
      "x: header of 25000000 bytes; only 10 follow its length",
    ],
  ])("%s: refused before anything more is read", async (_, length, code, message) => {
    const bytes = withLength(length, 10);
    const folder = memoryFolder({ x: bytes });
    await expect(openBytes(bytes, folder)).rejects.toMatchObject({ code, message });
    expect(folder.reads).toEqual([{ file: "x", offset: 0, length: 8 }]);
  });

  it("is missing from a file of under 8 bytes", async () => {
    for (const size of [0, 1, 7]) {
      await expect(openBytes(new Uint8Array(size))).rejects.toMatchObject({ code: "E_HEADER_TOO_SMALL" });
    }
  });

  it("may be the limit itself", async () => {
    const header = new Uint8Array(MAX_HEADER_BYTES).fill(0x20);
    header.set([0x7b, 0x7d]);
    await expect(openBytes(frameSafetensors(header))).resolves.toMatchObject({ dataStart: 25_000_008 });
  });

  it.each([
    ["GGUF\u0003\0\0\0", "a GGUF file"],
    ["PK\u0003\u0004\u0000\u0000\u0008\u0008", "a zip archive"],
    ["version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"],
    ["<!DOCTYPE html>", "a web page"],
  ])("tells another format by its first bytes: %j", async (text, found) => {
    const error = openBytes(new TextEncoder().encode(text.padEnd(40)));
    await expect(error).rejects.toMatchObject({ code: "E_FORMAT" });
    await expect(error).rejects.toThrow(`x: found ${found}`);
  });
});

describe("the data", () => {
  const two = (first: string, second: string) =>
    `{"a":{"dtype":"F32","shape":[2],"data_offsets":[${first}]},"b":{"dtype":"F32","shape":[2],"data_offsets":[${second}]}}`;

  it.each([
    [
      "begins after 0",
      two("4,12", "12,20"),
      20,
      "E_TENSOR_OFFSETS",
      'tensor "a" data_offsets: found [4, 12]; expected to begin at 0',
    ],
    [
      "has a gap",
      two("0,8", "9,17"),
      17,
      "E_TENSOR_OFFSETS",
      'tensor "b" data_offsets: found [9, 17]; expected to begin at 8',
    ],
    [
      "overlaps",
      two("0,8", "4,12"),
      16,
      "E_TENSOR_OFFSETS",
      'tensor "b" data_offsets: found [4, 12]; expected to begin at 8',
    ],
    ["is shared", two("0,8", "0,8"), 8, "E_TENSOR_OFFSETS", 'tensor "b"'],
    ["ends before it begins", two("0,8", "8,0"), 16, "E_TENSOR_OFFSETS", 'tensor "b" data_offsets: found [8, 0]'],
    ["is cut off", two("0,8", "8,16"), 15, "E_FILE_TRUNCATED", "15 bytes of tensors; the header describes 16"],
    ["is not there", two("0,8", "8,16"), 0, "E_FILE_TRUNCATED", "0 bytes of tensors; the header describes 16"],
    ["has bytes after it", two("0,8", "8,16"), 20, "E_TENSOR_OFFSETS", "4 bytes follow the last tensor"],
    ["is none but there are bytes", "{}", 1, "E_TENSOR_OFFSETS", "1 bytes follow the last tensor"],
    ["is shorter than the shape", two("0,4", "4,12"), 12, "E_TENSOR_INFO", "span 4 bytes; [2] of F32 takes 8"],
    ["is longer than the shape", two("0,8", "8,18"), 18, "E_TENSOR_INFO", "span 10 bytes; [2] of F32 takes 8"],
  ])("%s", async (_, header, dataBytes, code, problem) => {
    await expect(open(header, dataBytes)).rejects.toMatchObject({ code });
    await expect(open(header, dataBytes)).rejects.toThrow(problem);
  });

  it.each([
    ["64-bit wrap to 0", "4294967296,4294967296", 16],
    ["64-bit wrap to 16", "4611686018427387908", 16],
    ["past 2^53", "9007199254740991,2", 16],
    ["past 2^53, then none", "9007199254740991,9007199254740991,0", 0],
    ["bytes past 2^53", "9007199254740991", 16],
  ])("has a shape whose size overflows: %s", async (_, shape, bytes) => {
    const header = `{"a":{"dtype":"F32","shape":[${shape}],"data_offsets":[0,${bytes}]}}`;
    await expect(open(header, bytes)).rejects.toMatchObject({ code: "E_TENSOR_INFO" });
  });

  it("has half bytes", async () => {
    const header = `{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`;
    await expect(open(header, 1)).rejects.toThrow("[3] of F4 takes 1.5");
  });
});

it("reads what the writer for tests writes", async () => {
  const values = Float32Array.of(1, 2, 3);
  const bytes = buildSafetensors(
    {
      w: { dtype: "F32", shape: [3], data: values },
      h: { dtype: "BF16", shape: [1, 2], data: Uint16Array.of(0x3f80, 0x4000) },
    },
    { format: "pt" },
  );
  const { metadata, tensors, dataStart } = await openBytes(bytes);
  expect(metadata).toEqual({ format: "pt" });
  expect(dataStart % 8).toBe(0);
  expect(tensors.map(({ name, begin, end }) => [name, begin, end])).toEqual([
    ["w", 0, 12],
    ["h", 12, 16],
  ]);
  expect(new Float32Array(bytes.slice(dataStart, dataStart + 12).buffer)).toEqual(values);
});

interface ReferenceCase {
  readonly file: string;
  readonly accept: boolean;
  readonly error: string | null;
  readonly source_test: string;
}

/** Our codes for the reference parser's errors. */
const CODES: Readonly<Record<string, string>> = {
  HeaderTooSmall: "E_HEADER_TOO_SMALL",
  HeaderTooLarge: "E_HEADER_TOO_LARGE",
  InvalidHeaderLength: "E_FILE_TRUNCATED",
  InvalidHeader: "E_HEADER_INVALID",
  InvalidHeaderDeserialization: "E_HEADER_INVALID",
  InvalidOffset: "E_TENSOR_OFFSETS",
  MetadataIncompleteBuffer: "E_TENSOR_OFFSETS",
  TensorInvalidInfo: "E_TENSOR_INFO",
  ValidationOverflow: "E_TENSOR_INFO",
};

const CASES_FILE = "malformed/safetensors-cases.json";
const cases = hasData(CASES_FILE)
  ? (JSON.parse(new TextDecoder().decode(readData(CASES_FILE))) as { cases: ReferenceCase[] }).cases
  : [{ file: "all of them", accept: true, error: null, source_test: "not there" }];

describe.skipIf(!hasData(CASES_FILE))(titleWithData("the reference parser's own cases", CASES_FILE), () => {
  it.each(cases)("$file ($source_test)", async ({ file, accept, error }) => {
    const opened = openBytes(readData(`malformed/${file}`));
    if (accept) await expect(opened).resolves.toBeDefined();
    else await expect(opened).rejects.toMatchObject({ name: "R1Error", code: CODES[error ?? ""] });
  });
});
