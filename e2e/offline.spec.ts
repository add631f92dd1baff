import { expect, test } from "@playwright/test";
import { LOAD_TIMEOUT_MS, Playground } from "./support/playground.ts";
import { withStaticServer } from "./support/static-server.ts";

test.use({ serviceWorkers: "allow", locale: "en-US" });

test("after one visit, from a folder of a plain host, the page and its model work without a network", async ({
  context,
  page,
}) => {
  test.setTimeout(4 * LOAD_TIMEOUT_MS);
  await withStaticServer("/some/path/", async (address) => {
    await page.goto(address);
    await new Playground(page).ready();
    // The service worker has everything.
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));

    await context.setOffline(true);
    const offline = await context.newPage();
    await offline.goto(`${address}#/playground?thinkMax=8&maxNewTokens=16`);
    const playground = new Playground(offline);
    await playground.ready();
    await playground.sendAndWait("What is 2 + 3?");
    await offline.goto(`${address}embed.html?v=1&view=trace&lang=en`);
    await expect(offline.getByText("Recorded", { exact: true })).toBeVisible();
    await context.setOffline(false);
  });
});
