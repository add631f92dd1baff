const IN_EQUATION = /[\p{L}\p{N}.%°()（）+\-/×÷*=＝≈]/u;
const OPERAND_START = /[\p{L}\p{N}(（]/u;

/** Where a text's equations without spaces are, such as 面积=长*宽. */
export class Equations {
  readonly #text: string;
  /** The stretch of signs and words that was looked at last. */
  #end = 0;
  #isEquation = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether the asterisk at a place, before an operand, is one's sign; asked from the text's beginning to its end. */
  has(at: number): boolean {
    const text = this.#text;
    if (at >= this.#end) {
      let start = at;
      while (start > this.#end && IN_EQUATION.test(text[start - 1] ?? "")) start--;
      let end = at;
      while (end < text.length && IN_EQUATION.test(text[end] ?? "")) end++;
      this.#end = end;
      this.#isEquation = /[=＝≈]/.test(text.slice(start, end));
    }
    return this.#isEquation && OPERAND_START.test(text[at + 1] ?? "");
  }
}
