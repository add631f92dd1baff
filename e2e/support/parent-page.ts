import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test as base } from "@playwright/test";
import type { Page } from "@playwright/test";

const parentHtml = (src: string, sandbox: string): string => `<!doctype html><title>Another site</title>
  <iframe src="${src.replaceAll("&", "&amp;")}" sandbox="${sandbox}" width="900" height="700"
    allow="clipboard-write"></iframe>
  <script>
    window.heard = [];
    window.openly = [];
    const frame = document.querySelector("iframe");
    addEventListener("message", ({ data, source }) => source === frame.contentWindow && window.openly.push(data));
    window.hello = () => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => window.heard.push(data);
      window.send = (type, payload, id) => port1.postMessage({ ns: "r1pg", v: 1, id, type, payload });
      frame.contentWindow.postMessage({ ns: "r1pg", v: 1, id: 1, type: "hello" }, "*", [port2]);
    };
  </script>`;

interface Fixtures {
  /** Opens a page of another origin that embeds a frame and speaks to it as the protocol says. @returns its address */
  readonly openParent: (src: string, sandbox: string) => Promise<string>;
}

export const test = base.extend<Fixtures>({
  openParent: async ({ page }, use) => {
    // A server and no intercepted request: a page that came from no network may not frame one of this machine. It is
    // another site than the page's `localhost`, and as trustworthy: WebGPU wants every frame above it to be.
    let html = "";
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end(html);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await use(async (src, sandbox) => {
      html = parentHtml(src, sandbox);
      await page.goto(address);
      return address;
    });
    server.closeAllConnections();
    server.close();
  },
});

export const SANDBOX = "allow-scripts allow-same-origin allow-popups allow-downloads";

export interface Heard {
  readonly id: number;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What the frame has said over the port, or openly. */
export function heard(page: Page, where: "heard" | "openly" = "heard"): Promise<readonly Heard[]> {
  return page.evaluate((name) => (window as unknown as Record<string, readonly Heard[]>)[name] ?? [], where);
}

export async function hello(page: Page): Promise<void> {
  await page.evaluate(() => (window as unknown as { hello: () => void }).hello());
}

export async function send(page: Page, type: string, payload: unknown, id: number): Promise<void> {
  await page.evaluate(
    ([name, value, number]) => (window as unknown as { send: (...args: unknown[]) => void }).send(name, value, number),
    [type, payload, id] as const,
  );
}
