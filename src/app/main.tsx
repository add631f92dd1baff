import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { workOffline } from "./offline.ts";
import { applyPreferences, writePreferences } from "./preferences.ts";
import { openLink, registerShare } from "./share/link.ts";
import { playgroundShare } from "./share/playground-share.ts";
import { usePage } from "./store.ts";
import "./styles.css";

applyPreferences(usePage.getState());
usePage.subscribe(({ language, theme }, before) => {
  if (language === before.language && theme === before.theme) return;
  applyPreferences({ language, theme });
  writePreferences({ language, theme });
});
registerShare("playground", playgroundShare);
void openLink(location.hash).then(() => usePage.getState().start());
addEventListener("hashchange", () => void openLink(location.hash));

// After what the page itself needs.
addEventListener("load", () => void workOffline());

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
