import { expect, test as base } from "@playwright/test";
import { Playground } from "./playground.ts";

interface Shared {
  /** One page for all tests: compiling its kernels takes a software renderer longer than any test. */
  readonly loaded: Playground;
}

interface Fixtures {
  /** The loaded page, as new; a test fails if the browser complains during it. */
  readonly playground: Playground;
}

export const test = base.extend<Fixtures, Shared>({
  loaded: [
    async ({ browser }, use) => {
      // The worker's browser knows no base address.
      const { baseURL } = base.info().project.use;
      const context = await browser.newContext({
        ...(baseURL ? { baseURL } : {}),
        locale: "en-US",
        serviceWorkers: "block",
      });
      const playground = new Playground(await context.newPage());
      await playground.open();
      await use(playground);
      await context.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  playground: async ({ loaded }, use) => {
    await loaded.reset();
    await use(loaded);
    expect(loaded.complaints).toEqual([]);
  },
});

export { expect } from "@playwright/test";
