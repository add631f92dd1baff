import { lazy, Suspense } from "react";
import { Header } from "./components/Header.tsx";
import { UpdateNote } from "./components/UpdateNote.tsx";
import { PlaygroundPage } from "./playground/PlaygroundPage.tsx";
import { useFileDrop } from "./playground/use-file-drop.ts";
import { usePageName, useQuery } from "./router.ts";
import type { PageName } from "./router.ts";
import { LinkNote } from "./share/LinkNote.tsx";
import { useTexts } from "./use-texts.ts";

// The first page is there at once; the others bring their charts and chapters when they are opened.
const VIEWS: Record<PageName, React.ComponentType> = {
  playground: PlaygroundPage,
  models: lazy(async () => ({ default: (await import("./models-page/ModelsPage.tsx")).ModelsPage })),
  lab: lazy(async () => ({ default: (await import("./lab/LabPage.tsx")).LabPage })),
  learn: lazy(async () => ({ default: (await import("./learn/LearnPage.tsx")).LearnPage })),
};

export function App() {
  const { t } = useTexts();
  const page = usePageName();
  const View = VIEWS[page];
  // Chapters on a wall have the screen to themselves.
  const isPresenting = useQuery().get("present") === "1" && page === "learn";
  const isDropping = useFileDrop();
  return (
    <div className={`flex h-dvh flex-col ${isDropping ? "outline-4 -outline-offset-4 outline-accent" : ""}`}>
      {isPresenting ? null : <Header />}
      <UpdateNote />
      <LinkNote />
      <Suspense fallback={<p className="m-auto text-quiet">{t.pageLoading}</p>}>
        <View />
      </Suspense>
    </div>
  );
}
