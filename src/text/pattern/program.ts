/** Whether one character is of a set; by code point. */
export type CharTest = (code: number) => boolean;

/** A regular expression as steps of a machine; targets are indices of steps. */
export type Step =
  | { readonly kind: "char"; readonly test: CharTest }
  /** Goes on at the first target, and at the second where that leads nowhere. */
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "start" | "end" | "match" }
  | {
      readonly kind: "look";
      readonly program: readonly Step[];
      readonly behind: boolean;
      readonly negative: boolean;
      /** Most characters that what is looked for behind may have. */
      readonly most: number;
    };

/** Steps of the largest program; `(?:a{1000}){1000}` would have a million. */
const MAX_STEPS = 20_000;

/** A pattern that the machine has no steps for. */
export class UnsupportedPattern extends Error {}

/**
 * Compiles the source of a JavaScript regular expression with the flag `u`. Groups capture nothing, and a reference back to
 * one is not supported: without them a match takes time in proportion to its text.
 * @throws UnsupportedPattern
 */
export function compilePattern(source: string): readonly Step[] {
  const compiler = new Compiler(source);
  return compiler.program();
}

interface Fragment {
  readonly steps: (at: number) => Step[];
  readonly size: number;
  readonly most: number;
}

const QUANTIFIER = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})(\??)/y;
const ESCAPE =
  /\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[^1-9kbB])/uy;

class Compiler {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  program(): readonly Step[] {
    const fragment = this.#alternatives();
    if (this.#at < this.#source.length) throw this.#unsupported();
    return [...fragment.steps(0), { kind: "match" }];
  }

  #alternatives(): Fragment {
    let fragment = this.#sequence();
    if (this.#source[this.#at] !== "|") return fragment;
    const rest: Fragment[] = [];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      rest.push(this.#sequence());
    }
    // Built from the last, so that each choice stands before all after it.
    const all = [fragment, ...rest];
    fragment = all[all.length - 1] ?? fragment;
    for (const one of all.slice(0, -1).toReversed()) fragment = either(one, fragment);
    return fragment;
  }

  #sequence(): Fragment {
    const parts: Fragment[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== "|" && this.#source[this.#at] !== ")") {
      parts.push(this.#quantified(this.#atom()));
    }
    return {
      size: limited(parts.reduce((sum, { size }) => sum + size, 0)),
      most: parts.reduce((sum, { most }) => sum + most, 0),
      steps: (at) => {
        const steps: Step[] = [];
        for (const part of parts) for (const step of part.steps(at + steps.length)) steps.push(step);
        return steps;
      },
    };
  }

  #quantified(atom: Fragment): Fragment {
    QUANTIFIER.lastIndex = this.#at;
    const found = QUANTIFIER.exec(this.#source);
    if (!found) return atom;
    const [text, low, comma, high, lazy] = found;
    this.#at += text.length;
    const kind = text.charAt(0);
    const least = low === undefined ? (kind === "+" ? 1 : 0) : Number(low);
    const open = kind === "*" || kind === "+" || (comma !== undefined && high === "");
    const most = open ? Number.POSITIVE_INFINITY : kind === "?" ? 1 : comma === undefined ? least : Number(high);
    return repeat(atom, least, most, lazy === "?");
  }

  #atom(): Fragment {
    const char = this.#source[this.#at];
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return this.#charClass();
      case "^":
        this.#at++;
        return single({ kind: "start" }, 0);
      case "$":
        this.#at++;
        return single({ kind: "end" }, 0);
      case ".":
        this.#at++;
        return chars((code) => code !== 10 && code !== 13 && code !== 0x2028 && code !== 0x2029);
      case "\\": {
        ESCAPE.lastIndex = this.#at;
        const escape = ESCAPE.exec(this.#source)?.[0];
        if (escape === undefined) throw this.#unsupported();
        this.#at += escape.length;
        return chars(setOf(escape));
      }
      case "*":
      case "+":
      case "?":
      case "{":
      case undefined:
        throw this.#unsupported();
      default: {
        const code = this.#source.codePointAt(this.#at) ?? 0;
        this.#at += code > 0xffff ? 2 : 1;
        return chars((other) => other === code);
      }
    }
  }

  #charClass(): Fragment {
    const start = this.#at;
    let at = start + 1;
    while (at < this.#source.length && this.#source[at] !== "]") at += this.#source[at] === "\\" ? 2 : 1;
    if (at >= this.#source.length) throw this.#unsupported();
    this.#at = at + 1;
    return chars(setOf(this.#source.slice(start, this.#at)));
  }

  #group(): Fragment {
    const head = /^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/.exec(this.#source.slice(this.#at))?.[0] ?? "(";
    if (head === "(" && this.#source[this.#at + 1] === "?") throw this.#unsupported();
    this.#at += head.length;
    const inner = this.#alternatives();
    if (this.#source[this.#at] !== ")") throw this.#unsupported();
    this.#at++;
    const isLook = /[=!]$/.test(head);
    if (!isLook) return inner;
    return single(
      {
        kind: "look",
        program: [...inner.steps(0), { kind: "match" }],
        behind: head.includes("<"),
        negative: head.endsWith("!"),
        most: inner.most,
      },
      0,
    );
  }

  #unsupported(): UnsupportedPattern {
    return new UnsupportedPattern(
      `the pattern ${JSON.stringify(this.#source.slice(0, 80))} is not supported at ${JSON.stringify(this.#source.slice(this.#at, this.#at + 12))}`,
    );
  }
}

function limited(size: number): number {
  if (size > MAX_STEPS) throw new UnsupportedPattern(`the pattern has more than ${MAX_STEPS} steps`);
  return size;
}

function single(step: Step, most: number): Fragment {
  return { size: 1, most, steps: () => [step] };
}

function chars(test: CharTest): Fragment {
  return single({ kind: "char", test }, 1);
}

/** A set of characters by JavaScript's own rules, asked once for each character. */
function setOf(source: string): CharTest {
  const expression = new RegExp(`^${source}$`, "u");
  const known = new Map<number, boolean>();
  return (code) => {
    let holds = known.get(code);
    if (holds === undefined) {
      holds = expression.test(String.fromCodePoint(code));
      if (known.size < 70_000) known.set(code, holds);
    }
    return holds;
  };
}

function either(a: Fragment, b: Fragment): Fragment {
  return {
    size: limited(a.size + b.size + 2),
    most: Math.max(a.most, b.most),
    steps: (at) => [
      { kind: "split", first: at + 1, second: at + a.size + 2 },
      ...a.steps(at + 1),
      { kind: "jump", to: at + a.size + b.size + 2 },
      ...b.steps(at + a.size + 2),
    ],
  };
}

function choice(lazy: boolean, inside: number, after: number): Step {
  return lazy ? { kind: "split", first: after, second: inside } : { kind: "split", first: inside, second: after };
}

function repeat(atom: Fragment, least: number, most: number, lazy: boolean): Fragment {
  if (most < least) throw new UnsupportedPattern("a quantifier's numbers are out of order");
  const isOpen = most === Number.POSITIVE_INFINITY;
  const optional = isOpen ? 0 : most - least;
  const size = limited(least * atom.size + (isOpen ? atom.size + 2 : optional * (atom.size + 1)));
  return {
    size,
    most: atom.most === 0 ? 0 : atom.most * most,
    steps: (at) => {
      const steps: Step[] = [];
      const add = (more: readonly Step[]): void => {
        for (const step of more) steps.push(step);
      };
      for (let i = 0; i < least; i++) add(atom.steps(at + steps.length));
      if (isOpen) {
        const loop = at + steps.length;
        steps.push(choice(lazy, loop + 1, loop + atom.size + 2));
        add(atom.steps(loop + 1));
        steps.push({ kind: "jump", to: loop });
      }
      for (let i = 0; i < optional; i++) {
        steps.push(choice(lazy, at + steps.length + 1, at + size));
        add(atom.steps(at + steps.length));
      }
      return steps;
    },
  };
}
