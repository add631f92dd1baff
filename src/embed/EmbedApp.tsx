import { lazy, Suspense, useRef } from "react";
import { usePartTexts } from "../app/i18n/use-part-texts.ts";
import { LinkNote } from "../app/share/LinkNote.tsx";
import { ChatView } from "./ChatView.tsx";
import { useFrame } from "./frame-store.ts";
import type { EmbedAddress } from "./params.ts";
import { PageLink } from "./PageLink.tsx";
import { Poster } from "./Poster.tsx";
import { embedTexts } from "./texts.ts";
import { useHeight } from "./use-height.ts";

// A run brings its charts only where it is shown.
const GrpoView = lazy(async () => ({ default: (await import("./GrpoView.tsx")).GrpoView }));

interface EmbedAppProps {
  readonly onHeight: (height: number) => void;
  readonly onStep: (step: number, metrics: Readonly<Record<string, number>>) => void;
}

/** The frame: a small line that says what it is, and one view. */
export function EmbedApp({ onHeight, onStep }: EmbedAppProps) {
  const { t } = usePartTexts(embedTexts);
  const root = useRef<HTMLDivElement>(null);
  const { address, isStarted, isClosed } = useFrame();
  useHeight(root, `${address?.view} ${isStarted}`, onHeight);
  if (!address) return null;
  if (isClosed) return <p className="p-4 text-sm text-quiet">{t.closed}</p>;
  const hasTitle = !address.hide.has("title");
  const hasLink = !address.hide.has("open");
  return (
    <div ref={root} className="flex h-dvh min-h-0 flex-col">
      {hasTitle || hasLink ? (
        <header className="flex flex-wrap items-baseline justify-between gap-x-4 border-b border-line bg-sheet px-4 py-2 text-sm">
          {hasTitle ? <h1 className="font-semibold">R1 Playground</h1> : <span />}
          {hasLink ? <PageLink /> : null}
        </header>
      ) : null}
      <LinkNote />
      <main className="flex min-h-0 flex-1 flex-col">
        <Suspense fallback={<p className="m-auto text-quiet">{t.opening}</p>}>
          <View address={address} isStarted={isStarted} onStep={onStep} />
        </Suspense>
      </main>
    </div>
  );
}

interface ViewProps extends Pick<EmbedAppProps, "onStep"> {
  readonly address: EmbedAddress;
  readonly isStarted: boolean;
}

function View({ address, isStarted, onStep }: ViewProps) {
  switch (address.view) {
    case "chat":
    case "compare":
      return isStarted ? <ChatView hasComposer={!address.hide.has("composer")} /> : <Poster address={address} />;
    case "trace":
      return <Poster address={address} />;
    case "grpo":
      return <GrpoView address={address} onStep={onStep} />;
  }
}
