import { Component, createContext, lazy, memo, Suspense, useContext, useEffect, useState } from "react";
import type { ReactNode } from "react";
import ReactMarkdown from "react-markdown";
import type { Components, Options } from "react-markdown";
import remarkCjkFriendly from "remark-cjk-friendly";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import remend from "remend";
import { numberOf, signOf } from "./as-written.ts";
import { isLeftOpen } from "./attention.ts";
import { isPlain, splitBlocks } from "./blocks.ts";
import { MAX_FORMULA_CHARS } from "./katex-options.ts";
import { remarkModelMarkdown } from "./model-markdown.ts";
import { normaliseMath } from "./normalise-math.ts";
import { texOf } from "./tex-source.ts";

const Formula = lazy(async () => ({ default: (await import("./Formula.tsx")).Formula }));

const PLUGINS: Options["remarkPlugins"] = [
  [remarkGfm, { singleTilde: false }],
  remarkCjkFriendly,
  // A single dollar is money unless `normaliseMath` found a formula.
  [remarkMath, { singleDollarTextMath: false }],
  remarkModelMarkdown,
];

/** What is wider than the page scrolls on its own, and is called so by a screen reader. */
export interface ScrollLabels {
  readonly code: string;
  readonly table: string;
}

const Labels = createContext<ScrollLabels>({ code: "", table: "" });
/** The block's text, from which a part can be shown as it was written. */
const Source = createContext("");

/** Blocks that are added to the page at once: laying out thousands would hold it up. */
export const BATCH = 40;

interface MarkdownBlocksProps {
  readonly text: string;
  readonly labels: ScrollLabels;
  /** The end is not there yet: what is open there is shown as if it were closed. */
  readonly isStreaming: boolean;
}

/**
 * Text of a model as markdown: no HTML (it is shown as it was written), no images (their descriptions instead), no links
 * but to http, https and mailto.
 */
export function MarkdownBlocks({ text, labels, isStreaming }: MarkdownBlocksProps) {
  const blocks = splitBlocks(normaliseMath(text));
  const [count, setCount] = useState(BATCH);
  useEffect(() => {
    if (count >= blocks.length) return undefined;
    const timer = setTimeout(() => setCount(count + BATCH));
    return () => clearTimeout(timer);
  }, [count, blocks.length]);
  return (
    <Labels value={labels}>
      {blocks.slice(0, count).map((block, i) => {
        const isGrowing = isStreaming && i === blocks.length - 1;
        // Blocks only ever come after one another, so that their place names them.
        return <Block key={i} text={isGrowing && !isPlain(block) ? closed(block) : block} />;
      })}
    </Labels>
  );
}

/** What is open at the end of a text that still grows, closed for now. */
function closed(block: string): string {
  const text = remend(block, {
    links: false,
    images: false,
    htmlTags: false,
    comparisonOperators: false,
    setextHeadings: false,
    singleTilde: false,
  });
  const [mark] = /(?:[*_]+|~~)$/.exec(text.slice(block.length)) ?? [];
  // In `2 * 3*` and `x**2` nothing is open.
  return mark === undefined || isLeftOpen(block, mark) ? text : block;
}

const Block = memo(function Block({ text }: { readonly text: string }) {
  const plain = <p className="whitespace-pre-wrap">{text}</p>;
  if (isPlain(text)) return plain;
  return (
    <Fallback key={text.length} plain={plain}>
      <Source value={text}>
        <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={safeUrl}>
          {text}
        </ReactMarkdown>
      </Source>
    </Fallback>
  );
});

interface FallbackProps {
  readonly plain: ReactNode;
  readonly children: ReactNode;
}

/** Text that nests deeper than the parser or React can follow is shown as it was written. */
class Fallback extends Component<FallbackProps, { readonly failed: boolean }> {
  override readonly state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.plain : this.props.children;
  }
}

const SAFE_URL = /^(?:https?:\/\/|mailto:)/i;
const MAX_URL_CHARS = 2000;

/** @returns the address, or nothing where it is not one to follow: a script, a file, a place on this page */
export function safeUrl(url: string): string {
  return url.length <= MAX_URL_CHARS && SAFE_URL.test(url) ? url : "";
}

/** Headings would stand among the page's own. */
const heading: Components["h1"] = ({ children }) => <p className="font-semibold">{children}</p>;

function Scroller({ name, children }: { readonly name: keyof ScrollLabels; readonly children: ReactNode }) {
  const labels = useContext(Labels);
  return (
    <div role="region" aria-label={labels[name]} tabIndex={0} className="overflow-x-auto">
      {children}
    </div>
  );
}

interface Placed {
  readonly position?:
    | {
        readonly start: { readonly offset?: number | undefined };
        readonly end: { readonly offset?: number | undefined };
      }
    | undefined;
}

/** A part of the block as it was written. */
function useWritten(node: Placed | undefined): string {
  const source = useContext(Source);
  const { start, end } = node?.position ?? {};
  return source.slice(start?.offset ?? source.length, end?.offset);
}

/** The line before a part of the block. */
function useLineBefore(node: Placed | undefined): string {
  const lines = useContext(Source).slice(0, node?.position?.start.offset).split("\n");
  return lines.at(-2) ?? "";
}

const COMPONENTS: Components = {
  h1: heading,
  h2: heading,
  h3: heading,
  h4: heading,
  h5: heading,
  h6: heading,
  a: function Link({ node, href, children }) {
    const written = useWritten(node);
    // What leads nowhere is no link, but may be `f[1](2)`.
    if (!href) return <>{written}</>;
    return (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" className="text-accent underline">
        {children}
      </a>
    );
  },
  li: function Item({ node, children, className }) {
    const written = useWritten(node);
    const sign = signOf(written, useLineBefore(node));
    if (sign === undefined) {
      return (
        <li className={className} value={numberOf(written)}>
          {children}
        </li>
      );
    }
    return (
      <li className="as-written">
        {`${sign} `}
        {children}
      </li>
    );
  },
  blockquote: function Quotation({ node, children }) {
    const written = useWritten(node);
    const sign = signOf(written);
    return sign === undefined ? (
      <blockquote>{children}</blockquote>
    ) : (
      <div className="as-written">
        {written.startsWith(">=") ? sign : `${sign} `}
        {children}
      </div>
    );
  },
  // One without a description would be nothing.
  img: function Image({ node, alt }) {
    const written = useWritten(node);
    return <>{alt || written}</>;
  },
  input: ({ checked }) => <>{checked === true ? "☑" : "☐"}</>,
  pre: ({ node, children }) =>
    isFormula(node?.children[0]) ? (
      <>{children}</>
    ) : (
      <Scroller name="code">
        <pre className="rounded-md border border-line bg-paper px-3 py-2 text-sm">{children}</pre>
      </Scroller>
    ),
  table: ({ children }) => (
    <Scroller name="table">
      <table className="text-sm">{children}</table>
    </Scroller>
  ),
  code: ({ className = "", children }) =>
    isMath(className) && typeof children === "string" && children.length <= MAX_FORMULA_CHARS ? (
      <Suspense fallback={<code>{children}</code>}>
        <Formula source={texOf(children)} display={className.includes("math-display")} />
      </Suspense>
    ) : (
      <code className="font-mono text-[0.9em]">{children}</code>
    ),
};

function isMath(className: string): boolean {
  return /\bmath-(?:inline|display)\b/.test(className);
}

interface HastNode {
  readonly type: string;
  readonly properties?: { readonly className?: unknown };
}

function isFormula(node: HastNode | undefined): boolean {
  const classes = node?.properties?.className;
  return Array.isArray(classes) && classes.includes("math-display");
}
