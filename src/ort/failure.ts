import { R1Error } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";

const MAX_SAID = 500;
const FULL = /memory|allocat|bad_alloc|OOM/i;
/** What stops WebAssembly in the middle of its work: its memory and its locks are as they were then, and stay so. */
const ENDED =
  /abort|unreachable|out of bounds|null function|signature mismatch|call stack|divide by zero|another WebGPU EP inference session/i;

/**
 * What ONNX Runtime threw, as an error with a sentence. Where WebAssembly itself failed, the runtime answers rightly no more:
 * such errors have `restart` among their details, and whoever has the worker starts another.
 * @param otherwise for what is neither full memory nor such a failure
 * @param what the beginning of the sentence
 */
export function ortFailure(cause: unknown, otherwise: ErrorCode, what: string): R1Error {
  // C++ exceptions that nothing caught come as bare numbers.
  const isError = cause instanceof Error;
  const said = isError
    ? cause.message
    : typeof cause === "number"
      ? "an exception that it did not catch"
      : String(cause);
  const isEnd =
    !isError || cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError || ENDED.test(said);
  const code = FULL.test(said) ? "E_OUT_OF_MEMORY" : isEnd && otherwise === "E_INTERNAL" ? "E_WORKER" : otherwise;
  // What it says quotes names of the graph.
  const text = said.slice(0, MAX_SAID).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  return new R1Error(code, `${what}: ${text}`, isEnd ? { restart: true } : {}, { cause });
}
