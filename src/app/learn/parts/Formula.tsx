import { useEffect, useRef } from "react";

/** A displayed formula from one of the chapters' own constants; its source until the typesetter is there. */
export function Formula({ source }: { readonly source: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    let isCurrent = true;
    element.textContent = source;
    const load = async (): Promise<void> => {
      try {
        const { typeset } = await import("./typeset.ts");
        if (isCurrent) typeset(source, element);
      } catch {
        // The typesetter could not be loaded: the source can still be read.
        element.textContent = source;
      }
    };
    void load();
    return () => {
      isCurrent = false;
    };
  }, [source]);
  return (
    <div
      ref={box}
      className="min-h-12 overflow-x-auto overflow-y-hidden py-1 text-center font-mono text-xs sm:text-sm in-data-presenting:lg:text-[1.1rem]"
    />
  );
}
