import type { Page } from "@playwright/test";

/** Another origin than the page's `localhost`, and as trustworthy: WebGPU wants every frame above it to be. */
export const PARENT = "http://127.0.0.1:4180/";

/** A page of another origin that embeds a frame, and speaks to it as the protocol says. */
export async function openParent(page: Page, src: string, sandbox: string): Promise<void> {
  const html = `<!doctype html><title>Another site</title>
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
  await page.route(`${PARENT}**`, (route) => route.fulfill({ contentType: "text/html", body: html }));
  await page.goto(PARENT);
}

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
