import { useEffect, useId, useRef } from "react";
import type { ReactNode } from "react";
import { Button } from "../components/Button.tsx";

interface ModalDialogProps {
  readonly heading: string;
  readonly closeLabel: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The browser's own dialog: it holds the focus, closes by Escape, and gives the focus back. */
export function ModalDialog({ heading, closeLabel, onClose, children }: ModalDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      className="m-auto w-[min(44rem,calc(100vw-2rem))] rounded-lg border border-line bg-sheet p-5 text-ink backdrop:bg-black/40"
    >
      <div className="flex flex-col gap-4">
        <div className="flex items-start justify-between gap-4">
          <h2 id={id} className="text-xl font-semibold">
            {heading}
          </h2>
          <Button onClick={() => dialog.current?.close()}>{closeLabel}</Button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
