/** What an embedding page must grant: scripts, and the frame's own origin, without which it has no worker. */
export const FRAME_SANDBOX = "allow-scripts allow-same-origin allow-popups allow-downloads";
export const FRAME_ALLOW = "cross-origin-isolated; clipboard-write; fullscreen";

export interface Snippet {
  /** Absolute address of the frame. */
  readonly src: string;
  readonly title: string;
  /** CSS pixels. */
  readonly height: number;
}

/** The HTML of a frame, to be pasted into a page. */
export function snippetOf({ src, title, height }: Snippet): string {
  const attributes = {
    src,
    title,
    width: "100%",
    height: String(height),
    loading: "lazy",
    allow: FRAME_ALLOW,
    sandbox: FRAME_SANDBOX,
  };
  const written = Object.entries(attributes).map(([name, value]) => `${name}="${escapeAttribute(value)}"`);
  return `<iframe ${written.join("\n  ")}></iframe>`;
}

function escapeAttribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
