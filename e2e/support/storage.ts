import type { Page } from "@playwright/test";

/**
 * Makes the page's and its workers' storage full: what is written fails as the browser says it then. (Quotas can be set
 * through the DevTools protocol, but Chromium 156 does not hold writes to them.)
 */
export async function fillStorage(page: Page): Promise<void> {
  const fill = (): void => {
    const refuse = (): never => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    Reflect.set(IDBObjectStore.prototype, "put", refuse);
    Reflect.set(IDBObjectStore.prototype, "add", refuse);
    // Only workers have it, and only their types know it.
    const handle: unknown = Reflect.get(globalThis, "FileSystemSyncAccessHandle");
    if (typeof handle === "function") Reflect.set(handle.prototype as object, "write", refuse);
  };
  await Promise.all([page.evaluate(fill), ...page.workers().map((worker) => worker.evaluate(fill))]);
}
