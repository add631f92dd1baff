import { expect } from "@playwright/test";
import type { ConsoleMessage, Locator, Page, Route } from "@playwright/test";

/** Compiling every kernel on a software renderer takes this long at most. */
export const LOAD_TIMEOUT_MS = 80_000;

/** The page as its reader uses it: by roles and labels, in English. */
export class Playground {
  readonly page: Page;
  readonly question: Locator;
  readonly ask: Locator;
  readonly stop: Locator;
  readonly clear: Locator;
  readonly status: Locator;
  readonly alert: Locator;
  readonly turns: Locator;
  /** What the browser complained about: script errors, blocked content, missing files. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    this.question = page.getByRole("textbox", { name: "Question" });
    this.ask = page.getByRole("button", { name: "Ask", exact: true });
    this.stop = page.getByRole("button", { name: "Stop", exact: true });
    this.clear = page.getByRole("button", { name: "New conversation" });
    // The header has one of its own, for what was copied.
    this.status = page.getByRole("main").getByRole("status");
    this.alert = page.getByRole("alert");
    this.turns = page.getByRole("article");
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => this.#hear(message));
  }

  /**
   * Opens the page and waits for the model that it loads by itself: the one of random weights, whose endless babble suits
   * tests of streaming better than the short answers of the first in the list.
   */
  async open(): Promise<void> {
    await this.page.route("**/models/index.json", tinyFirst);
    // On a device in software the page would choose the processor.
    await this.page.goto("/?runtime=webgpu");
    await this.ready();
  }

  async ready(): Promise<void> {
    // Said as what went wrong, not as a button that stays grey.
    await expect(this.alert.or(this.ask.and(this.page.locator(":enabled")))).toBeVisible({ timeout: LOAD_TIMEOUT_MS });
    await expect(this.alert).toHaveCount(0);
  }

  /** The page as it was after loading, so that tests do not see each other. */
  async reset(): Promise<void> {
    this.complaints.length = 0;
    await this.page.getByRole("combobox").first().selectOption("en");
    await this.choose("Theme", "auto");
    await this.page.setViewportSize({ width: 1280, height: 800 });
    if (await this.stop.isVisible()) await this.stop.click();
    await expect(this.ask).toBeVisible();
    if (await this.clear.isEnabled()) await this.clear.click();
    await this.set({
      Temperature: 0.6,
      "Top-p": 0.95,
      "Longest reply": 96,
      "Think at most": 48,
      "Think at least": 0,
      Samples: 1,
      Seed: 0,
    });
  }

  async choose(label: string, value: string): Promise<void> {
    await this.page.getByRole("combobox", { name: label }).selectOption(value);
  }

  /** Types numbers into settings, by their labels. */
  async set(settings: Readonly<Record<string, number>>): Promise<void> {
    const toggle = this.page.getByRole("button", { name: /^Settings/ });
    if ((await toggle.getAttribute("aria-expanded")) === "false") await toggle.click();
    for (const [label, value] of Object.entries(settings)) {
      await this.page.getByRole("spinbutton", { name: label, exact: true }).fill(String(value));
    }
    await toggle.click();
  }

  /** Sends a question and returns its turn, which may still be streaming. */
  async send(question: string): Promise<Locator> {
    const count = await this.turns.count();
    await this.question.fill(question);
    await this.ask.click();
    const turn = this.turns.nth(count);
    await expect(turn).toBeVisible();
    return turn;
  }

  /** Sends a question and waits for the end of its reply. */
  async sendAndWait(question: string): Promise<Locator> {
    const turn = await this.send(question);
    await expect(turn.getByText(/tokens\/s/)).toBeVisible();
    return turn;
  }

  /** The line that opens and closes a turn's thought. */
  thoughtToggle(turn: Locator): Locator {
    return turn.getByRole("button", { name: /^(Thinking…|Thought for)/ });
  }

  /** A turn's thought, where it is open. */
  thought(turn: Locator): Locator {
    return turn.getByRole("region", { name: /^Thought/ });
  }

  #hear(message: ConsoleMessage): void {
    if (message.type() !== "error") return;
    // Folders need not have a template of their own in a file.
    if (message.location().url.endsWith("/chat_template.jinja")) return;
    this.complaints.push(message.text());
  }
}

async function tinyFirst(route: Route): Promise<void> {
  const response = await route.fetch();
  const models = (await response.json()) as readonly { readonly folder: string }[];
  const tiny = models.filter(({ folder }) => folder === "tiny-random");
  await route.fulfill({ response, json: [...tiny, ...models.filter((model) => !tiny.includes(model))] });
}
