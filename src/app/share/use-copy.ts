import { useEffect, useState } from "react";

/** How long "copied" stands. */
const SAID_MS = 3000;

export interface Copying {
  /** The text was copied a moment ago. */
  readonly isCopied: boolean;
  /** @returns whether the browser allowed it */
  readonly copy: (text: string) => Promise<boolean>;
}

export function useCopy(): Copying {
  const [copiedAt, setCopiedAt] = useState<number>();
  useEffect(() => {
    if (copiedAt === undefined) return undefined;
    const timer = setTimeout(() => setCopiedAt(undefined), SAID_MS);
    return () => clearTimeout(timer);
  }, [copiedAt]);
  const copy = async (text: string): Promise<boolean> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopiedAt(performance.now());
      return true;
    } catch {
      // Refused by the reader or the frame's policy, or not there outside https.
      return false;
    }
  };
  return { isCopied: copiedAt !== undefined, copy };
}
