import { envelope, NAMESPACE, VERSION } from "../protocol.ts";
import type {
  CommandName,
  EmbedCaps,
  EmbedCommands,
  EmbedEvents,
  EmbedLanguage,
  EmbedParams,
  EmbedState,
  EmbedTheme,
  EmbedView,
  Envelope,
  EventMessage,
  EventName,
} from "../protocol.ts";

export type {
  EmbedCaps,
  EmbedEvents,
  EmbedLanguage,
  EmbedParams,
  EmbedReply,
  EmbedState,
  EmbedTheme,
  EmbedToken,
  EmbedView,
  EventName,
} from "../protocol.ts";

/** How long a frame that loads may take to say that it is ready. */
const READY_MS = 60_000;

export interface EmbedOptions {
  /** Where the playground is served: `https://example.org/playground/`. By default, where this file came from. */
  readonly base?: string;
  readonly view?: EmbedView;
  /** Folder of a built-in model. */
  readonly model?: string;
  /** A recorded trace or run by name. */
  readonly preset?: string;
  readonly prompt?: string;
  readonly params?: EmbedParams;
  readonly lang?: EmbedLanguage;
  readonly theme?: EmbedTheme;
  /** `visible` plays what is recorded when it comes into view; the model itself waits for the reader's click. */
  readonly start?: "click" | "visible";
  /** Parts to leave out: `title`, `composer`, `open`. */
  readonly hide?: readonly string[];
  /** Accessible name of the frame. */
  readonly title?: string;
  /** CSS pixels at first. */
  readonly height?: number;
  /** The frame grows with its content up to this; 0 keeps its height. 800 by default. */
  readonly maxHeight?: number;
}

/** A refused command. */
export class EmbedError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`the playground refused: ${code}`);
    this.name = "EmbedError";
    this.code = code;
  }
}

export interface Embed {
  readonly frame: HTMLIFrameElement;
  /** What the frame can do, once it listens. @throws EmbedError E_TIMEOUT */
  readonly ready: Promise<EmbedCaps>;
  /** Commands wait until the frame is ready. @throws EmbedError with the code that the frame gives */
  start(): Promise<EmbedState>;
  stop(): Promise<EmbedState>;
  setPrompt(text: string): Promise<EmbedState>;
  setParams(params: EmbedParams): Promise<EmbedState>;
  setTheme(theme: EmbedTheme): Promise<EmbedState>;
  setLang(lang: EmbedLanguage): Promise<EmbedState>;
  getState(): Promise<EmbedState>;
  /** Calls back at each event of a type. Returns the function that stops it. */
  on<E extends EventName>(type: E, listener: (payload: EmbedEvents[E]) => void): () => void;
  /** Frees the frame's GPU and removes it. */
  destroy(): void;
}

/** Puts a playground into an element of a page. */
export function createEmbed(element: HTMLElement, options: EmbedOptions = {}): Embed {
  return new FrameEmbed(element, options);
}

interface Waiting {
  readonly resolve: (state: EmbedState) => void;
  readonly reject: (error: EmbedError) => void;
}

class FrameEmbed implements Embed {
  readonly frame: HTMLIFrameElement;
  readonly ready: Promise<EmbedCaps>;
  readonly #origin: string;
  readonly #maxHeight: number;
  readonly #channel = new MessageChannel();
  readonly #listeners = new Set<(message: EventMessage) => void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #hear = (event: MessageEvent<unknown>): void => this.#greet(event);
  #isGreeted = false;
  #nextId = 2;

  constructor(element: HTMLElement, options: EmbedOptions) {
    const address = addressOf(options);
    this.#origin = address.origin;
    this.#maxHeight = options.maxHeight ?? 800;
    this.frame = document.createElement("iframe");
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new EmbedError("E_TIMEOUT")), READY_MS);
      const leave = this.on("ready", (caps) => {
        leave();
        clearTimeout(timer);
        resolve(caps);
      });
    });
    // Whoever gives a command is told.
    this.ready.catch(() => undefined);
    this.#channel.port1.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    addEventListener("message", this.#hear);
    Object.assign(this.frame, {
      src: address.href,
      title: options.title ?? "R1 Playground",
      width: "100%",
      height: String(options.height ?? 480),
      loading: "lazy",
      allow: "cross-origin-isolated; clipboard-write; fullscreen",
    });
    this.frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-downloads");
    this.frame.style.border = "0";
    element.append(this.frame);
  }

  start(): Promise<EmbedState> {
    return this.#send("start", undefined);
  }

  stop(): Promise<EmbedState> {
    return this.#send("stop", undefined);
  }

  setPrompt(text: string): Promise<EmbedState> {
    return this.#send("setPrompt", { text });
  }

  setParams(params: EmbedParams): Promise<EmbedState> {
    return this.#send("setParams", params);
  }

  setTheme(theme: EmbedTheme): Promise<EmbedState> {
    return this.#send("setTheme", { theme });
  }

  setLang(lang: EmbedLanguage): Promise<EmbedState> {
    return this.#send("setLang", { lang });
  }

  getState(): Promise<EmbedState> {
    return this.#send("getState", undefined);
  }

  on<E extends EventName>(type: E, listener: (payload: EmbedEvents[E]) => void): () => void {
    const hear = (message: EventMessage): void => {
      if (isOf(message, type)) listener(message.payload);
    };
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  destroy(): void {
    removeEventListener("message", this.#hear);
    if (this.#isGreeted) this.#channel.port1.postMessage(envelope("destroy", undefined, this.#nextId++));
    for (const { reject } of this.#waiting.values()) reject(new EmbedError("E_DESTROYED"));
    this.#waiting.clear();
    this.frame.remove();
    this.#channel.port1.close();
  }

  async #send<C extends CommandName>(type: C, payload: EmbedCommands[C]): Promise<EmbedState> {
    await this.ready;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#channel.port1.postMessage(envelope(type, payload, id));
    });
  }

  /** Messages to the window: any frame, any page can send them. */
  #greet({ source, origin, data }: MessageEvent<unknown>): void {
    if (source !== this.frame.contentWindow || origin !== this.#origin || !isEvent(data)) return;
    if (data.type === "ready" && !this.#isGreeted) {
      this.#isGreeted = true;
      const hello = envelope("hello", undefined, 1);
      this.frame.contentWindow?.postMessage(hello, this.#origin, [this.#channel.port2]);
    } else if (data.type === "resize") {
      this.#receive(data);
    }
  }

  #receive(data: unknown): void {
    if (!isEvent(data)) return;
    const waiting = this.#waiting.get(data.id);
    this.#waiting.delete(data.id);
    if (data.type === "state") waiting?.resolve(data.payload);
    if (data.type === "error") waiting?.reject(new EmbedError(data.payload.code));
    if (data.type === "resize" && this.#maxHeight > 0) {
      this.frame.height = String(Math.min(this.#maxHeight, Math.ceil(data.payload.height)));
    }
    for (const hear of this.#listeners) hear(data);
  }
}

function addressOf(options: EmbedOptions): URL {
  const address = new URL(
    "embed.html",
    new URL(options.base ?? "./", options.base ? document.baseURI : import.meta.url),
  );
  const { view = "chat", model, preset, prompt, lang, theme, start, hide, params = {} } = options;
  const keys = { view, model, preset, draft: prompt, lang, theme, start, hide: hide?.join(",") };
  const query = new URLSearchParams({ v: String(VERSION) });
  for (const [name, value] of Object.entries(params)) query.set(name, String(value));
  for (const [key, value] of Object.entries(keys)) if (value !== undefined) query.set(key, value);
  address.search = query.toString();
  return address;
}

function isOf<E extends EventName>(
  message: EventMessage,
  type: E,
): message is EventMessage & Envelope<E, EmbedEvents[E]> {
  return message.type === type;
}

function isEvent(data: unknown): data is EventMessage {
  if (typeof data !== "object" || data === null) return false;
  const { ns, v, type, payload } = data as { ns?: unknown; v?: unknown; type?: unknown; payload?: unknown };
  return (
    ns === NAMESPACE && v === VERSION && typeof type === "string" && typeof payload === "object" && payload !== null
  );
}
