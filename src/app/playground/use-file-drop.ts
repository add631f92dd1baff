import { useEffect, useState } from "react";
import { filesOfDrop } from "./picked-files.ts";
import { usePage } from "../store.ts";

/**
 * Loads files that are dropped anywhere on the page: elsewhere the browser would leave the page to show them.
 * @returns whether files are being held over the page
 */
export function useFileDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const hold = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      // Moving from one element to another leaves the first; leaving the window has nowhere to go.
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      void usePage.getState().loadFiles(filesOfDrop(event.dataTransfer));
    };
    window.addEventListener("dragover", hold);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", hold);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, []);
  return over;
}
