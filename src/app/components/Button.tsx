import type { ComponentProps } from "react";

const STYLES = {
  primary: "border-accent bg-accent text-accent-ink enabled:hover:bg-accent-strong",
  plain: "border-edge bg-sheet text-ink enabled:hover:border-ink",
} as const;

interface ButtonProps extends ComponentProps<"button"> {
  /** `primary` is for the one next step. */
  readonly kind?: keyof typeof STYLES;
}

export function Button({ kind = "plain", className = "", ...props }: ButtonProps) {
  return (
    <button
      type="button"
      {...props}
      className={`rounded-md border px-3 py-1.5 text-sm font-semibold whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-50 ${STYLES[kind]} ${className}`}
    />
  );
}
