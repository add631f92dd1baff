import type { BindingKind } from "../../gpu/pipelines.ts";

/**
 * What a product does with its results. Both shapes compute columns in pairs (c even, c + 1) and hand them to
 * `epilogue(m, c, v0, v1)`, so that what belongs together meets in one thread: the two halves of a rotary pair, or
 * a gate and its up value.
 *
 * - `store`: y[m, c] = v
 * - `residual`: y[m, c] += v
 * - `silu`: y[m, c / 2] = silu(v0) · v1 (SwiGLU; gate and up rows stacked in one matrix)
 * - `qkv`: adds the bias, rotates q and k (RoPE, rotate-half convention of Hugging Face), writes q and the KV cache
 */
export type Epilogue = "store" | "residual" | "silu" | "qkv";

export interface EpilogueOptions {
  readonly epilogue: Epilogue;
  /** `qkv` only: add the bias. */
  readonly bias: boolean;
  /** `qkv` only: element type of the cache; f16 is packed two to a word. */
  readonly kv: "f32" | "f16";
  /**
   * `silu` and `qkv`: what an adapter has computed for each weight row is added to the product first. For `qkv` it lies
   * behind the rotary table in the same buffer, because all eight bindings that WebGPU guarantees are taken.
   */
  readonly adapted?: boolean;
}

/** A binding that an epilogue adds after the product's own. */
export interface EpilogueBinding {
  readonly kind: BindingKind;
  readonly name: string;
  readonly type: string;
}

export function epilogueBindings({ epilogue, kv, adapted }: EpilogueOptions): readonly EpilogueBinding[] {
  if (epilogue !== "qkv") {
    const y = { kind: "write", name: "y", type: "array<f32>" } as const;
    return epilogue === "silu" && adapted ? [y, { kind: "read", name: "delta", type: "array<f32>" }] : [y];
  }
  return [
    { kind: "write", name: "q", type: "array<f32>" },
    { kind: "write", name: "kv", type: kv === "f16" ? "array<u32>" : "array<f32>" },
    { kind: "read", name: "rows", type: "array<vec4<u32>>" },
    { kind: "read", name: "rope", type: "array<vec2<f32>>" },
  ];
}

/** WGSL of `epilogue`; `aux` holds the bias from float `op.bias_at` on. */
export function epilogueWgsl({ epilogue, bias, kv, adapted = false }: EpilogueOptions): string {
  switch (epilogue) {
    case "store":
    case "residual": {
      const assign = epilogue === "store" ? "=" : "+=";
      return `fn epilogue(m: u32, c: u32, v0: f32, v1: f32) {
  let at = m * op.y_stride + op.y_col + c;
  y[at] ${assign} v0;
  if (c + 1u < op.n) { y[at + 1u] ${assign} v1; }
}`;
    }
    case "silu":
      return `fn epilogue(m: u32, c: u32, v0: f32, v1: f32) {
  let column = op.y_col + (c >> 1u);
  ${
    adapted
      ? `let at = m * op.delta_stride + column;
  let gate = v0 + delta[at];
  let up = v1 + delta[at + op.delta_up];`
      : `let gate = v0;
  let up = v1;`
  }
  y[m * op.y_stride + column] = gate / (1.0 + exp(-gate)) * up;
}`;
    case "qkv":
      return `fn epilogue(m: u32, column: u32, v0: f32, v1: f32) {
  let c = column + op.y_col;
  let head = c / op.pair;
  let i = (c % op.pair) >> 1u;
  let half = op.pair >> 1u;
  var a = v0;
  var b = v1;
  ${
    bias
      ? `let at = op.bias_at + head * op.pair + i;
  a += aux[at >> 2u][at & 3u];
  b += aux[(at + half) >> 2u][(at + half) & 3u];`
      : ""
  }
  ${
    adapted
      ? `let d = op.delta_at + m * op.delta_stride + head * op.pair + i;
  a += rope[d >> 1u][d & 1u];
  b += rope[(d + half) >> 1u][(d + half) & 1u];`
      : ""
  }
  let row = rows[m];
  if (c < op.rotated) {
    let turn = rope[row.y * half + i];
    let t = a * turn.x - b * turn.y;
    b = b * turn.x + a * turn.y;
    a = t;
  }
  if (c < op.q_cols) {
    q[m * op.y_stride + c] = a;
    q[m * op.y_stride + c + 1u] = b;
    return;
  }
  let cell = row.z * op.kv_stride + c - op.q_cols;
  ${
    kv === "f16"
      ? "kv[cell >> 1u] = pack2x16float(clamp(vec2<f32>(a, b), vec2<f32>(-65504.0), vec2<f32>(65504.0)));"
      : "kv[cell] = a;\n  kv[cell + 1u] = b;"
  }
}`;
  }
}
