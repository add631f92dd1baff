import { useEffect, useState } from "react";
import { QuietButton } from "./QuietButton.tsx";

interface CopyButtonProps {
  readonly text: string;
  readonly label: string;
  readonly done: string;
  readonly failed: string;
}

const SHOWN_MS = 2000;

/** Copies a text, and says for a moment whether it did. */
export function CopyButton({ text, label, done, failed }: CopyButtonProps) {
  const [result, setResult] = useState<"done" | "failed">();
  useEffect(() => {
    if (!result) return undefined;
    const timer = setTimeout(() => setResult(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setResult("done");
    } catch {
      // A frame that was not given the clipboard.
      setResult("failed");
    }
  };
  return (
    <QuietButton onClick={() => void copy()}>
      <span aria-live="polite">{result === "done" ? done : result === "failed" ? failed : label}</span>
    </QuietButton>
  );
}
