import { useEffect } from "react";
import type { RefObject } from "react";

/**
 * Tells the height in which a frame would not have to scroll, whenever its content grows.
 * @param key changes when the frame shows something else
 */
export function useHeight(root: RefObject<HTMLElement | null>, key: string, tell: (height: number) => void): void {
  useEffect(() => {
    const { current } = root;
    if (!current) return undefined;
    const contents = [...current.querySelectorAll<HTMLElement>("[role=log], [data-content]")];
    const observer = new ResizeObserver(() => {
      const beyond = contents.map(({ parentElement: box }) => (box ? box.scrollHeight - box.clientHeight : 0));
      tell(current.offsetHeight + Math.max(0, ...beyond));
    });
    for (const content of contents) observer.observe(content);
    return () => observer.disconnect();
  }, [root, key, tell]);
}
