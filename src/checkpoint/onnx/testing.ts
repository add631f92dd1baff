import { intField, messageField, textField } from "../export/onnx/proto.ts";
import type { Proto } from "../export/onnx/proto.ts";

/** A model that tests write out, rightly or wrongly; what is left out is as it should be. */
export interface WrittenOnnx {
  readonly irVersion?: number;
  readonly opsets?: readonly (readonly [domain: string, version: number])[];
  readonly nodes?: readonly WrittenNode[];
  readonly tensors?: readonly WrittenTensor[];
  readonly inputs?: readonly WrittenValue[];
  readonly outputs?: readonly WrittenValue[];
  /** Fields of the graph and of the model that the others have no word for. */
  readonly graph?: Proto;
  readonly model?: Proto;
}

export interface WrittenNode {
  readonly operator: string;
  readonly name?: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  /** Encoded AttributeProtos. */
  readonly attributes?: readonly Proto[];
}

export interface WrittenTensor {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly raw?: Uint8Array | undefined;
  readonly external?: Readonly<Record<string, string>>;
  /** Fields that the others have no word for. */
  readonly more?: Proto;
}

export interface WrittenValue {
  readonly name: string;
  readonly type: number;
  readonly shape?: readonly (number | string)[];
}

/** A ModelProto's bytes. */
export function buildOnnx(model: WrittenOnnx): Uint8Array<ArrayBuffer> {
  const { irVersion = 8, opsets = [["", 21] as const] } = model;
  return protoBytes([
    ...intField(1, irVersion),
    ...messageField(7, graphFields(model)),
    ...opsets.flatMap(([domain, version]) => messageField(8, [...textField(1, domain), ...intField(2, version)])),
    ...(model.model ?? []),
  ]);
}

/** A GraphProto's fields. */
export function graphFields({ nodes = [], tensors = [], inputs = [], outputs = [], graph = [] }: WrittenOnnx): Proto {
  return [
    ...nodes.flatMap((node) => messageField(1, nodeFields(node))),
    ...textField(2, "graph"),
    ...tensors.flatMap((tensor) => messageField(5, tensorFields(tensor))),
    ...inputs.flatMap((value) => messageField(11, valueFields(value))),
    ...outputs.flatMap((value) => messageField(12, valueFields(value))),
    ...graph,
  ];
}

export function nodeFields({
  operator,
  name = "",
  domain = "",
  inputs = [],
  outputs = [],
  attributes = [],
}: WrittenNode): Proto {
  return [
    ...inputs.flatMap((input) => textField(1, input)),
    ...outputs.flatMap((output) => textField(2, output)),
    ...textField(3, name),
    ...textField(4, operator),
    ...attributes.flatMap((attribute) => messageField(5, attribute)),
    ...textField(7, domain),
  ];
}

export function tensorFields({ name, type, dims, raw, external, more = [] }: WrittenTensor): Proto {
  return [
    ...dims.flatMap((size) => intField(1, size)),
    ...intField(2, type),
    ...textField(8, name),
    ...(raw ? messageField(9, [raw]) : []),
    ...Object.entries(external ?? {}).flatMap(([key, value]) =>
      messageField(13, [...textField(1, key), ...textField(2, value)]),
    ),
    ...(external ? intField(14, 1) : []),
    ...more,
  ];
}

function valueFields({ name, type, shape }: WrittenValue): Proto {
  const sizes = shape?.flatMap((size) =>
    messageField(1, typeof size === "number" ? intField(1, size) : textField(2, size)),
  );
  const tensor = [...intField(1, type), ...(sizes ? messageField(2, sizes) : [])];
  return [...textField(1, name), ...messageField(2, messageField(1, tensor))];
}

/** An attribute that is a graph. */
export function graphAttribute(name: string, graph: WrittenOnnx): Proto {
  return [...textField(1, name), ...messageField(6, graphFields(graph)), ...intField(20, 5)];
}

/** @throws for what is only made while it is read */
export function protoBytes(parts: Proto): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) => {
    if ("chunks" in part) throw new Error("expected bytes");
    return part;
  });
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
