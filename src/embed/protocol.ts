/**
 * What an embedding page and the frame say to each other. The frame says `ready` and `resize` to whoever embeds it; the
 * page's `hello` brings a MessagePort, over which everything else goes. Every command is answered, under its own id, by
 * `state` or by `error`; what the frame says unasked has the id 0.
 */

export const NAMESPACE = "r1pg";
export const VERSION = 1;

export const VIEWS = ["chat", "compare", "trace", "grpo"] as const;
export type EmbedView = (typeof VIEWS)[number];

export type EmbedLanguage = "en" | "ja";
export type EmbedTheme = "auto" | "light" | "dark";

/** Settings by their names in the address; the frame checks them. */
export type EmbedParams = Readonly<Record<string, number>>;

/** Page → frame. */
export interface EmbedCommands {
  /** Brings the port; answered by `ready`. Only this one is sent to the window. */
  readonly hello: undefined;
  /** Asks the question, or starts the run. Refused until the reader has pressed start in the frame: it costs their GPU. */
  readonly start: undefined;
  readonly stop: undefined;
  readonly setPrompt: { readonly text: string };
  readonly setParams: EmbedParams;
  readonly setTheme: { readonly theme: EmbedTheme };
  readonly setLang: { readonly lang: EmbedLanguage };
  readonly getState: undefined;
  /** Stops everything and frees the GPU; the frame is of no use afterwards. */
  readonly destroy: undefined;
}

export type CommandName = keyof EmbedCommands;

export interface EmbedCaps {
  readonly view: EmbedView;
  /** Whether the browser has WebGPU; a device may still be refused. */
  readonly webgpu: boolean;
  /** False in a sandbox without `allow-same-origin`: only recorded material is shown there. */
  readonly worker: boolean;
  /** A click in the frame is still needed before `start`. */
  readonly needsClick: boolean;
}

export interface EmbedState {
  readonly view: EmbedView;
  readonly lang: EmbedLanguage;
  readonly theme: EmbedTheme;
  readonly needsClick: boolean;
  /** `none` until a model is there. */
  readonly model: string;
  readonly status: "idle" | "loading" | "running";
  readonly prompt: string;
  readonly params: EmbedParams;
}

export interface EmbedToken {
  readonly sample: number;
  readonly channel: "think" | "answer";
  readonly text: string;
}

export interface EmbedReply {
  readonly think: string;
  readonly answer: string;
  readonly finish: string;
}

/** Frame → page. */
export interface EmbedEvents {
  readonly ready: EmbedCaps;
  /** The height in which all is seen, CSS pixels. */
  readonly resize: { readonly height: number };
  readonly state: EmbedState;
  /** Loading. 0 of 0 where bytes are not what it waits for. */
  readonly progress: { readonly stage: string; readonly loadedBytes: number; readonly totalBytes: number };
  /** What has been written since the last one, at most ten times a second. */
  readonly token: { readonly tokens: readonly EmbedToken[] };
  /** A run's step by TRL's names, or the figures of a reply. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly done: { readonly replies: readonly EmbedReply[] };
  /**
   * A code of the page's own, or E_NEEDS_CLICK (press start first), E_MESSAGE (a command that is none), E_NO_WORKER (the
   * sandbox lacks `allow-same-origin`), E_VIEW (not in this view).
   */
  readonly error: { readonly code: string };
}

export type EventName = keyof EmbedEvents;

/** A message of either side. */
export interface Envelope<Type extends string, Payload> {
  readonly ns: typeof NAMESPACE;
  readonly v: typeof VERSION;
  readonly id: number;
  readonly type: Type;
  readonly payload: Payload;
}

export type EventMessage = { [E in EventName]: Envelope<E, EmbedEvents[E]> }[EventName];

export function envelope<Type extends string, Payload>(type: Type, payload: Payload, id = 0): Envelope<Type, Payload> {
  return { ns: NAMESPACE, v: VERSION, id, type, payload };
}
