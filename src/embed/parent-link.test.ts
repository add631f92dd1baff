import { describe, expect, it } from "vitest";
import type { Command } from "./commands.ts";
import { parseCommand } from "./commands.ts";
import { ParentLink } from "./parent-link.ts";
import type { FrameMessage, FrameWindow } from "./parent-link.ts";
import { envelope } from "./protocol.ts";

const PARENT = { name: "the embedding window" };
const ORIGIN = "https://docs.example";

function setUp(parentOrigin: string | undefined = ORIGIN) {
  const said: unknown[] = [];
  const commands: Command[] = [];
  let listener: ((event: FrameMessage) => void) | undefined;
  const frame: FrameWindow = {
    parent: PARENT,
    parentOrigin,
    postToParent: (message) => said.push(message),
    onMessage: (listen) => {
      listener = listen;
      return () => (listener = undefined);
    },
  };
  const link = new ParentLink(frame, (command) => commands.push(command));
  const { port1, port2 } = new MessageChannel();
  const receive = (message: Partial<FrameMessage>) =>
    listener?.({ data: envelope("hello", undefined, 1), origin: ORIGIN, source: PARENT, ports: [port2], ...message });
  const close = () => {
    link.close();
    port1.close();
    port2.close();
  };
  return { link, said, commands, receive, port: port1, close };
}

/** The port's next message. */
const next = (port: MessagePort) =>
  new Promise<unknown>((resolve) => {
    port.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data);
  });

describe("the frame's end of the protocol", () => {
  it("tells everyone no more than that it is ready and how high it is", () => {
    const { link, said, close } = setUp();
    link.say("ready", { view: "chat", webgpu: true, worker: true, needsClick: true });
    link.say("resize", { height: 300 });
    link.say("token", { tokens: [{ sample: 0, channel: "think", text: "secret" }] });
    link.say("error", { code: "E_NO_WEBGPU" });
    expect(said).toMatchObject([{ type: "ready" }, { type: "resize" }]);
    close();
  });

  it.each<[string, Partial<FrameMessage>]>([
    ["another window", { source: { name: "a sibling" } }],
    ["another origin", { origin: "https://evil.example" }],
    ["no port", { ports: [] }],
    ["another protocol", { data: { ns: "other", v: 1, id: 1, type: "hello" } }],
    ["another version", { data: { ns: "r1pg", v: 2, id: 1, type: "hello" } }],
    ["a command before hello", { data: envelope("start", undefined, 1) }],
    ["nothing", { data: null }],
  ])("does not listen to a hello from %s", (_, message) => {
    const { commands, receive, close } = setUp();
    receive(message);
    expect(commands).toEqual([]);
    close();
  });

  it("speaks through the port of the first hello, and hears no other", async () => {
    const { link, said, commands, receive, port, close } = setUp();
    receive({});
    expect(commands).toMatchObject([{ type: "hello", id: 1 }]);
    const other = new MessageChannel();
    receive({ ports: [other.port2] });
    expect(commands).toHaveLength(1);
    const heard = next(port);
    link.say("error", { code: "E_BUSY" }, 7);
    expect(await heard).toEqual(envelope("error", { code: "E_BUSY" }, 7));
    expect(said).toEqual([]);
    other.port1.close();
    other.port2.close();
    close();
  });

  it("refuses over the port what is no command, under its id where it has one", async () => {
    const { receive, port, close } = setUp();
    receive({});
    const heard = next(port);
    port.postMessage({ ...envelope("setParams", { temperature: 99 }, 5) });
    expect(await heard).toEqual(envelope("error", { code: "E_MESSAGE" }, 5));
    close();
  });

  it("takes the first hello where the browser does not tell who embeds", () => {
    const { commands, receive, close } = setUp("");
    receive({});
    expect(commands).toHaveLength(0);
    close();
    const unknown = setUp(undefined);
    unknown.receive({ origin: ORIGIN });
    expect(unknown.commands).toHaveLength(1);
    unknown.close();
  });
});

describe("a command", () => {
  it.each([
    envelope("start", undefined, 1),
    envelope("setPrompt", { text: "Why?" }, 2),
    envelope("setParams", { temperature: 0.5, n: 2 }, 3),
    envelope("setTheme", { theme: "dark" }, 4),
    envelope("setLang", { lang: "ja" }, 5),
  ])("is read: $type", (message) => {
    expect(parseCommand(message)).toMatchObject({ type: message.type, id: message.id });
  });

  it.each([
    envelope("setPrompt", { text: "x".repeat(8001) }, 1),
    envelope("setPrompt", { text: 5 }, 1),
    envelope("setParams", { n: 1e9 }, 1),
    envelope("setTheme", { theme: "url(evil)" }, 1),
    envelope("__proto__", {}, 1),
    envelope("start", undefined, 0),
    "start",
    [],
  ])("that asks for what there is not is none: %j", (message) => {
    expect(parseCommand(message)).toBeUndefined();
  });

  it("loses what nobody knows", () => {
    const command = parseCommand(envelope("setParams", { n: 2, model: "https://evil.example/" }, 1));
    expect(command).toMatchObject({ payload: { n: 2 } });
    expect(JSON.stringify(command)).not.toContain("evil");
  });
});
