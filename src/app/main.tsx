import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { applyPreferences, writePreferences } from "./preferences.ts";
import { usePage } from "./store.ts";
import "./styles.css";

applyPreferences(usePage.getState());
usePage.subscribe(({ language, theme }, before) => {
  if (language === before.language && theme === before.theme) return;
  applyPreferences({ language, theme });
  writePreferences({ language, theme });
});
void usePage.getState().start();

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
