import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import { ACTIVATION_PAD, paddedK, roundUp } from "../../kernels/weights/format.ts";
import type { ModelSpec } from "../spec.ts";
import { gateUpColumns } from "./buffers.ts";
import type { Projection } from "./layer.ts";
import type { LinearAdapter } from "./linear.ts";
import type { ParameterEntry } from "./parameters.ts";

/** As in PEFT's `LoraConfig`. */
export interface LoraOptions {
  readonly r: number;
  readonly lora_alpha: number;
  readonly target_modules: readonly string[];
}

export interface LoraTarget {
  readonly projection: Projection;
  readonly path: string;
  /** Width of the input. */
  readonly k: number;
  /** First column of the projection's output and how many are the target's. */
  readonly column: number;
  readonly rows: number;
}

/** One adapted matrix of a layer: + scale · B · A. */
export interface AdaptedMatrix extends LoraTarget {
  readonly rank: number;
  readonly scale: number;
  /** Names of A [rank, k] and B [rows, rank]. */
  readonly a: string;
  readonly b: string;
}

/** The adapted matrices of each layer; layers, and matrices of a layer, may differ in rank and scale, or have none. */
export type AdapterLayout = readonly (readonly AdaptedMatrix[])[];

/** The layout of an adapter that is the same in every layer. @throws R1Error E_OPTION as {@link adapterTargets} */
export function loraLayout(spec: ModelSpec, lora: LoraOptions): AdapterLayout {
  const targets = adapterTargets(spec, lora);
  const scale = lora.lora_alpha / lora.r;
  return Array.from({ length: spec.layers }, (_, layer) =>
    targets.map((target) => {
      const [a, b] = adapterNames(layer, target.path);
      return { ...target, rank: lora.r, scale, a, b };
    }),
  );
}

/** PEFT's names for the linear layers of Qwen2 and Llama, with the part of our fused projections that each is. */
export function loraTargets(spec: ModelSpec): Readonly<Record<string, LoraTarget>> {
  const { hiddenSize, intermediateSize, headDim, heads, kvHeads } = spec;
  const queries = heads * headDim;
  const keys = kvHeads * headDim;
  const attention = (column: number, rows: number, name: string): LoraTarget => ({
    projection: "qkv",
    path: `self_attn.${name}`,
    k: hiddenSize,
    column,
    rows,
  });
  const mlp = (column: number, name: string): LoraTarget => ({
    projection: "gate_up",
    path: `mlp.${name}`,
    k: hiddenSize,
    column,
    rows: intermediateSize,
  });
  return {
    q_proj: attention(0, queries, "q_proj"),
    k_proj: attention(queries, keys, "k_proj"),
    v_proj: attention(queries + keys, keys, "v_proj"),
    o_proj: { projection: "output", path: "self_attn.o_proj", k: queries, column: 0, rows: hiddenSize },
    gate_proj: mlp(0, "gate_proj"),
    up_proj: mlp(gateUpColumns(spec), "up_proj"),
    down_proj: { projection: "down", path: "mlp.down_proj", k: intermediateSize, column: 0, rows: hiddenSize },
  };
}

/** An adapter's tensors in the pool, in PEFT's names. */
export interface LoraParameters {
  readonly entries: readonly ParameterEntry[];
  /** Per layer and projection; `down` buffers are allocated per layer, or once where activations are recomputed. */
  readonly adapters: (
    scope: BufferScope,
    layer: number,
    maxTokens: number,
  ) => Partial<Record<Projection, readonly LinearAdapter[]>>;
}

/**
 * The matrices that an adapter adapts, each once.
 * @throws R1Error E_OPTION for an unknown target module or a rank out of range
 */
export function adapterTargets(
  spec: ModelSpec,
  { r, target_modules }: Pick<LoraOptions, "r" | "target_modules">,
): readonly LoraTarget[] {
  const known = loraTargets(spec);
  if (!Number.isInteger(r) || r < 1 || r > spec.hiddenSize) {
    throw new R1Error("E_OPTION", `lora.r is ${r}; expected a whole number from 1 to ${spec.hiddenSize}`);
  }
  const targets = [...new Set(target_modules)].map((name) => {
    const target = known[name];
    if (!target) {
      throw new R1Error(
        "E_OPTION",
        `lora.target_modules names ${name}; this model has ${Object.keys(known).join(", ")}`,
      );
    }
    return target;
  });
  if (targets.length === 0) throw new R1Error("E_OPTION", "lora.target_modules is empty; name at least one");
  return targets;
}

/** An adapter's tensors as entries of a parameter pool. @throws R1Error E_OPTION as {@link adapterTargets} */
export function adapterEntries(
  spec: ModelSpec,
  lora: Pick<LoraOptions, "r" | "target_modules">,
): readonly ParameterEntry[] {
  const targets = adapterTargets(spec, lora);
  return Array.from({ length: spec.layers }, (_, layer) =>
    targets.flatMap(({ path, k, rows }) => {
      const [a, b] = adapterNames(layer, path);
      return [adapterEntry(a, lora.r, k), adapterEntry(b, rows, lora.r)];
    }),
  ).flat();
}

/** @throws R1Error E_OPTION as {@link adapterTargets} */
export function loraParameters(spec: ModelSpec, lora: LoraOptions): LoraParameters {
  const { r, lora_alpha } = lora;
  const targets = adapterTargets(spec, lora);
  return {
    entries: adapterEntries(spec, lora),
    adapters: (scope, layer, maxTokens) => {
      const out: Partial<Record<Projection, LinearAdapter[]>> = {};
      for (const { projection, path, column, rows } of targets) {
        const [a, b] = adapterNames(layer, path);
        const down = scope.create(`${layer}.${path}.down`, maxTokens * roundUp(r, ACTIVATION_PAD) * 4);
        (out[projection] ??= []).push({ a, b, rank: r, scale: lora_alpha / r, column, rows, down });
      }
      return out;
    },
  };
}

export function adapterNames(layer: number, path: string): readonly [string, string] {
  const base = `base_model.model.model.layers.${layer}.${path}`;
  return [`${base}.lora_A.weight`, `${base}.lora_B.weight`];
}

function adapterEntry(name: string, rows: number, k: number): ParameterEntry {
  const ld = paddedK("f32", k);
  return { name, bytes: rows * ld * 4, tensors: [{ name, shape: [rows, k], at: 0, rows, k, ld }] };
}
