import { floatField, intField, messageField, textField } from "./proto.ts";
import type { Proto, StreamedBytes } from "./proto.ts";

/** TensorProto.DataType of onnx.proto. */
export const ONNX_TYPES = { float: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
export type OnnxType = keyof typeof ONNX_TYPES;

export type Dimension = number | string;

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** Names stand for sizes that the caller decides. */
  readonly shape: readonly Dimension[];
}

/** A constant of the graph. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: StreamedBytes;
}

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** "" for ONNX's own operators. */
  readonly domain?: string;
  /** "" for an optional one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints?: Readonly<Record<string, number | readonly number[]>>;
  readonly floats?: Readonly<Record<string, number>>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;
const IR_VERSION = 10;
const ONNX_OPSET = 21;
const EXTERNAL = 1;

/** Smaller constants stay in the model: shape inference reads them, and it does not open other files. */
const MIN_EXTERNAL_BYTES = 1024;

/** True for an initializer that lies in a data file where there is one. */
export function isExternal({ data }: OnnxInitializer): boolean {
  return data.size >= MIN_EXTERNAL_BYTES;
}

/**
 * A ModelProto.
 * @param dataFile where large initializers lie instead of in the model; their data then follow one another there
 */
export function onnxModel(graph: OnnxGraph, dataFile?: string): Proto {
  let offset = 0;
  const initializers = graph.initializers.map((initializer) => {
    if (dataFile === undefined || !isExternal(initializer)) return messageField(5, tensor(initializer));
    const at = offset;
    offset += initializer.data.size;
    return messageField(5, tensor(initializer, { dataFile, at }));
  });
  return [
    ...intField(1, IR_VERSION),
    ...textField(2, "r1-playground"),
    ...messageField(7, [
      ...graph.nodes.flatMap((one) => messageField(1, node(one))),
      ...textField(2, "main_graph"),
      ...initializers.flat(),
      ...graph.inputs.flatMap((value) => messageField(11, valueInfo(value))),
      ...graph.outputs.flatMap((value) => messageField(12, valueInfo(value))),
    ]),
    ...messageField(8, [...textField(1, ""), ...intField(2, ONNX_OPSET)]),
    ...messageField(8, [...textField(1, "com.microsoft"), ...intField(2, 1)]),
  ];
}

function node({ name, operator, domain = "", inputs, outputs, ints = {}, floats = {} }: OnnxNode): Proto {
  return [
    ...inputs.flatMap((input) => textField(1, input)),
    ...outputs.flatMap((output) => textField(2, output)),
    ...textField(3, name),
    ...textField(4, operator),
    ...Object.entries(ints).flatMap(([key, value]) => messageField(5, intAttribute(key, value))),
    ...Object.entries(floats).flatMap(([key, value]) =>
      messageField(5, [...textField(1, key), ...floatField(2, value), ...intField(20, ATTRIBUTE.float)]),
    ),
    ...textField(7, domain),
  ];
}

function intAttribute(key: string, value: number | readonly number[]): Proto {
  if (typeof value === "number") return [...textField(1, key), ...intField(3, value), ...intField(20, ATTRIBUTE.int)];
  return [...textField(1, key), ...value.flatMap((one) => intField(8, one)), ...intField(20, ATTRIBUTE.ints)];
}

function tensor({ name, type, shape, data }: OnnxInitializer, place?: { dataFile: string; at: number }): Proto {
  const head = [...shape.flatMap((size) => intField(1, size)), ...intField(2, ONNX_TYPES[type]), ...textField(8, name)];
  if (!place) return [...head, ...messageField(9, [data])];
  const entries = { location: place.dataFile, offset: String(place.at), length: String(data.size) };
  return [
    ...head,
    ...Object.entries(entries).flatMap(([key, value]) =>
      messageField(13, [...textField(1, key), ...textField(2, value)]),
    ),
    ...intField(14, EXTERNAL),
  ];
}

function valueInfo({ name, type, shape }: OnnxValue): Proto {
  const dimensions = shape.flatMap((size) =>
    messageField(1, typeof size === "number" ? intField(1, size) : textField(2, size)),
  );
  const tensorType = [...intField(1, ONNX_TYPES[type]), ...messageField(2, dimensions)];
  return [...textField(1, name), ...messageField(2, messageField(1, tensorType))];
}
