import { idOf, parseCommand } from "./commands.ts";
import type { Command } from "./commands.ts";
import { envelope } from "./protocol.ts";
import type { EmbedEvents, EventName } from "./protocol.ts";

/** What of the frame's window the link needs; tests put their own in its place. */
export interface FrameWindow {
  readonly parent: unknown;
  /** The embedding page's origin, where the browser tells. */
  readonly parentOrigin: string | undefined;
  postToParent(message: unknown): void;
  onMessage(listener: (event: FrameMessage) => void): () => void;
}

export interface FrameMessage {
  readonly data: unknown;
  readonly origin: string;
  readonly source: unknown;
  readonly ports: readonly MessagePort[];
}

/** Said to whoever embeds the frame, before anyone has said hello: they tell nothing about the reader. */
type OpenEvent = "ready" | "resize";

/**
 * The frame's end of the conversation with the page that embeds it. Only that page's window is listened to, and only
 * until its first hello: from then on everything goes through the port that came with it.
 */
export class ParentLink {
  readonly #window: FrameWindow;
  readonly #perform: (command: Command) => void;
  readonly #leave: () => void;
  #port: MessagePort | undefined;

  constructor(frame: FrameWindow, perform: (command: Command) => void) {
    this.#window = frame;
    this.#perform = perform;
    this.#leave = frame.onMessage((event) => this.#greet(event));
  }

  /** Says something to the page; before its hello, only what anyone may hear. */
  say<E extends EventName>(type: E, payload: EmbedEvents[E], id = 0): void {
    const message = envelope(type, payload, id);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port leads to one page
    if (this.#port) this.#port.postMessage(message);
    else if (isOpen(type)) this.#window.postToParent(message);
  }

  close(): void {
    this.#leave();
    this.#port?.close();
    this.#port = undefined;
  }

  #greet({ data, origin, source, ports }: FrameMessage): void {
    // A sibling frame, a frame inside this one, an extension: not who embeds us.
    if (source !== this.#window.parent || this.#port) return;
    if (this.#window.parentOrigin !== undefined && origin !== this.#window.parentOrigin) return;
    const command = parseCommand(data);
    const [port] = ports;
    if (command?.type !== "hello" || !port) return;
    this.#port = port;
    // Setting `onmessage` opens the port.
    port.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    this.#perform(command);
  }

  #receive(data: unknown): void {
    const command = parseCommand(data);
    if (command) this.#perform(command);
    else this.say("error", { code: "E_MESSAGE" }, idOf(data));
  }
}

function isOpen(type: EventName): type is OpenEvent {
  return type === "ready" || type === "resize";
}

/** The real window. */
export function frameWindow(): FrameWindow {
  // Firefox has no list of ancestors; there the referrer tells, unless the page hides it.
  const ancestor = "ancestorOrigins" in location ? location.ancestorOrigins[0] : undefined;
  const referrer = URL.canParse(document.referrer) ? new URL(document.referrer).origin : undefined;
  return {
    parent: window.parent,
    parentOrigin: ancestor ?? referrer,
    postToParent: (message) => window.parent.postMessage(message, "*"),
    onMessage: (listener) => {
      addEventListener("message", listener);
      return () => removeEventListener("message", listener);
    },
  };
}
