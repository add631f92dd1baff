import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base } from "@playwright/test";
import type { Page } from "@playwright/test";

interface Fixtures {
  /** The chapters, without the first page's model; a test fails if the browser complains during it. */
  readonly learn: Page;
}

const test = base.extend<Fixtures>({
  learn: async ({ page }, use) => {
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.route("**/models/index.json", (route) => route.fulfill({ json: [] }));
    await use(page);
    // A blocked style or font would be among them: KaTeX must be content with the content security policy.
    expect(complaints).toEqual([]);
  },
});

const CHAPTERS = {
  en: [
    "What a thought is",
    "Rewards",
    "A group and its advantages",
    "The clipped objective and KL",
    "From R1-Zero to R1 to distillation",
  ],
  ja: [
    "思考とは何か",
    "報酬",
    "グループとアドバンテージ",
    "クリップと KL ダイバージェンス",
    "R1-Zero から R1、そして蒸留へ",
  ],
} as const;

async function open(page: Page, query = ""): Promise<void> {
  await page.goto(`/#/learn?${query}`);
  await expect(page.getByRole("heading", { level: 3 }).first()).toBeVisible();
}

async function choose(page: Page, language: "en" | "ja", theme: "light" | "dark"): Promise<void> {
  const header = page.getByRole("banner").first().getByRole("combobox");
  await header.nth(0).selectOption(language);
  await header.nth(1).selectOption(theme);
}

async function expectAccessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
  expect(found, where).toEqual([]);
}

for (const [language, theme] of [
  ["en", "light"],
  ["ja", "dark"],
] as const) {
  test(`leads through its chapters in ${language}, which axe finds nothing wrong with in ${theme}`, async ({
    learn,
  }) => {
    await open(learn);
    await choose(learn, language, theme);
    for (const [i, title] of CHAPTERS[language].entries()) {
      await expect(learn.getByRole("heading", { level: 2, name: title })).toBeVisible();
      await expect(learn).toHaveURL(i === 0 ? /learn/ : new RegExp(`chapter=${i + 1}$`));
      await expect(learn.getByRole("figure").first()).toBeVisible();
      await expectAccessible(learn, title);
      const next = learn.getByRole("article").getByRole("link", { name: CHAPTERS[language][i + 1] ?? "none" });
      if (i + 1 < CHAPTERS[language].length) await next.click();
    }
  });
}

test("a narrow screen has the chapters in a select", async ({ learn }) => {
  await learn.setViewportSize({ width: 390, height: 844 });
  await open(learn, "chapter=2");
  await learn.getByRole("combobox", { name: "Chapters" }).selectOption({ label: "3. A group and its advantages" });
  await expect(learn.getByRole("heading", { level: 2 })).toContainText("A group and its advantages");
  await expectAccessible(learn, "phone");
  const sideways = await learn.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(sideways).toBeLessThanOrEqual(0);
});

test("a thought under a budget is cut, or goes on with Wait", async ({ learn }) => {
  await open(learn, "chapter=1");
  const figure = learn.getByRole("figure", { name: /under a budget/ });
  await expect(figure.getByText("2", { exact: true })).toBeVisible();
  await figure.getByRole("slider", { name: "Think at least" }).fill("40");
  await expect(figure.locator("mark").first()).toHaveText("Wait");
  await expect(figure.getByText("3", { exact: true })).toBeVisible();
  await figure.getByRole("slider", { name: "Think at most" }).fill("8");
  await expect(figure.getByText("closed by the budget")).toBeVisible();
  await expect(figure.getByText(/no number yet/)).toBeVisible();
});

test("an edited completion is scored by the rewards", async ({ learn }) => {
  await open(learn, "chapter=2");
  const figure = learn.getByRole("figure", { name: /Score a completion/ });
  const values = figure.getByRole("definition");
  await expect(values).toHaveText(["1.00", "1.00", "1.00", "3.00"]);
  await figure.getByRole("textbox", { name: "Completion" }).fill("It is 88.");
  await expect(values).toHaveText(["0.00", "0.00", "1.00", "1.00"]);
  await figure.getByRole("button", { name: "Form without content" }).click();
  await expect(values).toHaveText(["0.00", "1.00", "1.00", "2.00"]);
});

test("dragged rewards become advantages, and a dead group has none", async ({ learn }) => {
  await open(learn, "chapter=3");
  const figure = learn.getByRole("figure", { name: /A group of completions/ });
  const advantages = figure.getByRole("listitem").locator("> :last-child");
  await figure.getByRole("slider", { name: "Completions G" }).fill("2");
  await figure.getByRole("slider", { name: /^o1/ }).fill("1");
  await figure.getByRole("slider", { name: /^o2/ }).fill("0");
  // Two rewards lie half the square root of two deviations from their mean, whatever they are.
  await expect(advantages).toHaveText(["Value 1: +0.71", "Value 2: −0.71"]);
  await figure.getByRole("slider", { name: /^o2/ }).fill("0.5");
  await expect(advantages).toHaveText(["Value 1: +0.71", "Value 2: −0.71"]);
  await figure.getByText("nothing (Dr. GRPO)").click();
  await expect(advantages).toHaveText(["Value 1: +0.25", "Value 2: −0.25"]);
  await figure.getByText("Rewards r", { exact: true }).click();
  await expect(advantages).toHaveText(["Value 1: 1.00", "Value 2: 0.50"]);
  await figure.getByText("Advantages A", { exact: true }).click();
  await figure.getByRole("button", { name: "All right" }).click();
  await expect(advantages).toHaveText(["Value 1: 0.00", "Value 2: 0.00"]);
  await expect(figure.getByRole("status")).toContainText("Dead group");
});

test("the point of the clipped objective moves by keys and by dragging", async ({ learn }) => {
  await open(learn, "chapter=4");
  const figure = learn.getByRole("figure", { name: /clipped objective/ });
  const point = figure.getByRole("slider", { name: "Ratio r" });
  await point.focus();
  await point.press("End");
  await expect(figure.getByRole("definition")).toHaveText(["2.00", "1.28", "0.00"]);
  await expect(figure.getByRole("status")).toContainText("Clipped above");
  await figure.getByRole("slider", { name: "Advantage A" }).fill("-1");
  await expect(figure.getByRole("definition")).toHaveText(["2.00", "−2.00", "−2.00"]);
  const plot = await figure.getByRole("group", { name: /clipped objective/ }).boundingBox();
  if (!plot) throw new Error("the plot is not there");
  await learn.mouse.move(plot.x + plot.width * 0.9, plot.y + plot.height / 2);
  await learn.mouse.down();
  await learn.mouse.move(plot.x + plot.width * 0.3, plot.y + plot.height / 2, { steps: 4 });
  await learn.mouse.up();
  await expect(figure.getByRole("status")).toContainText("Clipped below");
});

test("formulas are typeset, with MathML for those who hear them", async ({ learn }) => {
  await open(learn, "chapter=3");
  await expect(learn.locator("math").first()).toBeAttached();
  const font = await learn.evaluate(async () => {
    await document.fonts.ready;
    return document.fonts.check("16px KaTeX_Main");
  });
  expect(font).toBe(true);
});

test("is presented by keys, one section a screen, and the address follows", async ({ learn }) => {
  await open(learn, "chapter=3");
  await learn.getByRole("link", { name: "Present" }).click();
  await expect(learn.getByRole("banner")).toHaveCount(0);
  const title = learn.getByRole("heading", { level: 3 });
  await expect(title).toHaveText("Better than its siblings");
  await expect(learn.getByRole("main")).toBeFocused();
  await expectAccessible(learn, "presentation");

  await learn.keyboard.press("ArrowRight");
  await expect(learn).toHaveURL(/chapter=3&section=2&present=1/);
  await expect(title).toContainText("How large a group");
  await learn.keyboard.press("PageDown");
  await expect(title).toHaveText("A step, but not too far");
  await expect(learn.getByRole("navigation").getByRole("status")).toHaveText("4. The clipped objective and KL, 1 / 4");
  await learn.keyboard.press("PageUp");
  await learn.keyboard.press("ArrowLeft");
  await expect(title).toHaveText("Better than its siblings");

  // A slider keeps its own keys.
  const slider = learn.getByRole("slider", { name: /^o1/ });
  await slider.focus();
  await slider.press("ArrowLeft");
  await expect(slider).toHaveValue("0.85");
  await expect(title).toHaveText("Better than its siblings");
  await slider.blur();

  await learn.keyboard.press("End");
  await expect(learn.getByRole("button", { name: "Next →" })).toBeDisabled();
  await learn.keyboard.press("Home");
  await expect(title).toHaveText("A model that thinks before it answers");
  await learn.reload();
  await expect(title).toHaveText("A model that thinks before it answers");
  await learn.keyboard.press("Escape");
  await expect(learn).toHaveURL(/#\/learn\?chapter=1$/);
  await expect(learn.getByRole("banner").first()).toBeVisible();
});

test("a wrong address shows the first chapter", async ({ learn }) => {
  await open(learn, "chapter=99&section=-3&present=maybe");
  await expect(learn.getByRole("heading", { level: 2 })).toContainText("What a thought is");
});

test("nothing moves where the reader asks for that", async ({ learn }) => {
  await learn.emulateMedia({ reducedMotion: "reduce" });
  await open(learn, "chapter=3");
  await learn.getByRole("button", { name: "One right" }).click();
  expect(await learn.evaluate(() => document.getAnimations().length)).toBe(0);
});
