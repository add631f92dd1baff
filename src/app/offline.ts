import { create } from "zustand";

interface OfflineState {
  /** A newer version of the page waits; calling this shows it. */
  readonly update: (() => void) | undefined;
}

export const useOffline = create<OfflineState>()(() => ({ update: undefined }));

/**
 * Keeps the page and its models for visits without a network. Not while the page is developed, and not in a frame of
 * another page, where nothing may be stored.
 */
export async function workOffline(): Promise<void> {
  if (!import.meta.env.PROD || window.top !== window || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  try {
    const registration = await serviceWorker.register(new URL("sw.js", document.baseURI));
    const offer = (): void => {
      const { waiting } = registration;
      // Without a version that is in charge, the new one is the first, and nothing to reload for.
      if (waiting && serviceWorker.controller) useOffline.setState({ update: () => takeOver(waiting) });
    };
    offer();
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  } catch {
    // Storage is closed to the page (a private window, full disk): it works with a network only.
  }
}

function takeOver(waiting: ServiceWorker): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a service worker is its page's own
  waiting.postMessage({ type: "SKIP_WAITING" });
}
