import { R1Error } from "../errors.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { KeptSequence } from "./language-model.ts";
import type { Sequence } from "./sequence.ts";

/** Rows of every layer's cache, copied out of a session. */
export class KeptCache implements KeptSequence {
  readonly tokens: readonly number[];
  readonly #rowBytes: number;
  readonly #layers: readonly GPUBuffer[];
  readonly #scope: BufferScope;

  private constructor(tokens: readonly number[], rowBytes: number, layers: readonly GPUBuffer[], scope: BufferScope) {
    this.tokens = tokens;
    this.#rowBytes = rowBytes;
    this.#layers = layers;
    this.#scope = scope;
  }

  /**
   * @param kv per layer the cache that the sequence, which has not been forked, lies in
   * @param rowBytes of one token in a layer
   * @throws R1Error E_OUT_OF_MEMORY; nothing stays allocated then
   */
  static async copy(
    context: GpuContext,
    kv: readonly GPUBuffer[],
    rowBytes: number,
    { tokens, prefixLength, ownBase }: Sequence,
  ): Promise<KeptCache> {
    if (prefixLength > 0) throw new R1Error("E_INTERNAL", "only an unforked sequence can be kept");
    const scope = context.arena.scope("kept cache");
    try {
      return await context.guarded("keeping a conversation", async () => {
        const bytes = tokens.length * rowBytes;
        const batch = context.commands();
        const layers = kv.map((from, i) => {
          const to = scope.create(`kept.${i}`, bytes);
          if (bytes > 0) batch.copy(from, ownBase * rowBytes, to, 0, bytes);
          return to;
        });
        batch.submit();
        return new KeptCache([...tokens], rowBytes, layers, scope);
      });
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /** Copies the rows to where a sequence of another session lies. */
  restore(context: GpuContext, kv: readonly GPUBuffer[], rowBytes: number, { ownBase }: Sequence): void {
    if (rowBytes !== this.#rowBytes) {
      throw new R1Error("E_INTERNAL", `a cache of ${this.#rowBytes} bytes a token cannot go on in one of ${rowBytes}`);
    }
    const bytes = this.tokens.length * rowBytes;
    if (bytes === 0) return;
    const batch = context.commands();
    kv.forEach((to, i) => {
      const from = this.#layers[i];
      if (from) batch.copy(from, 0, to, ownBase * rowBytes, bytes);
    });
    batch.submit();
  }

  dispose(): void {
    this.#scope.dispose();
  }
}
