import type { ComponentProps } from "react";

/** A small button that stands back until it is needed; its text lines up with what is above it. */
export function QuietButton({ className = "", ...props }: ComponentProps<"button">) {
  return (
    <button
      type="button"
      {...props}
      className={`-mx-1.5 rounded px-1.5 py-0.5 text-xs text-quiet underline decoration-line underline-offset-4 enabled:hover:text-ink enabled:hover:decoration-ink disabled:opacity-50 aria-pressed:font-semibold aria-pressed:text-ink aria-pressed:decoration-ink ${className}`}
    />
  );
}
