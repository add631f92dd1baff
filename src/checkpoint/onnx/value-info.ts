import type { OnnxValueInfo } from "./model.ts";
import { named } from "./proto-reader.ts";
import type { ProtoReader } from "./proto-reader.ts";
import { MAX_NAME, ONNX_DTYPES } from "./tensor.ts";

const MAX_RANK = 64;

/** A ValueInfoProto. @throws R1Error as `readOnnxModel` */
export function readValueInfo(reader: ProtoReader): OnnxValueInfo {
  let name = "";
  let tensor: Omit<OnnxValueInfo, "name"> = { type: undefined, shape: undefined };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.text("name", MAX_NAME);
    else if (field === 2) tensor = readType(reader.message("type", `${named(reader.what, name)} type`));
    else reader.skip();
  }
  if (name === "") throw reader.error("E_FORMAT", "found no name");
  return { name, ...tensor };
}

/** Types of sequences, maps and optional values are left unread. */
function readType(reader: ProtoReader): Omit<OnnxValueInfo, "name"> {
  let type: number | undefined;
  let shape: (number | undefined)[] | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) {
      reader.skip();
      continue;
    }
    const tensor = reader.message("tensor_type", reader.what);
    for (let inner = tensor.next(); inner !== 0; inner = tensor.next()) {
      if (inner === 1) type = tensor.integer("elem_type");
      else if (inner === 2) shape = readShape(tensor.message("shape", `${reader.what} shape`));
      else tensor.skip();
    }
    if (type !== undefined && !ONNX_DTYPES[type]) {
      throw reader.error("E_TENSOR_INFO", `elem_type: found ${type}; expected one of ONNX's, 1 to 26`);
    }
  }
  return { type, shape };
}

function readShape(reader: ProtoReader): (number | undefined)[] {
  const shape: (number | undefined)[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) {
      reader.skip();
      continue;
    }
    if (shape.length === MAX_RANK) throw reader.error("E_TENSOR_INFO", `found more than ${MAX_RANK} sizes`);
    const dimension = reader.message("dim", reader.what);
    let size: number | undefined;
    for (let inner = dimension.next(); inner !== 0; inner = dimension.next()) {
      if (inner === 1) size = dimension.integer("dim_value");
      else if (inner === 2) dimension.text("dim_param", MAX_NAME);
      else dimension.skip();
    }
    if (size !== undefined && (size < -1 || !Number.isSafeInteger(size))) {
      throw reader.error("E_TENSOR_INFO", `dim_value: found ${size}; expected a size`);
    }
    // Some exporters write -1 or 0 for a size that is open.
    shape.push(size === undefined || size <= 0 ? undefined : size);
  }
  return shape;
}
