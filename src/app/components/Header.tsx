import type { DeviceInfo } from "../../engine/protocol.ts";
import { formatCount } from "../format.ts";
import { LANGUAGES, LOCALES } from "../i18n/texts.ts";
import { THEMES } from "../preferences.ts";
import type { Theme } from "../preferences.ts";
import { hrefOf, PAGES, usePageName } from "../router.ts";
import type { PageName } from "../router.ts";
import { ShareMenu } from "../share/ShareMenu.tsx";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Choice } from "./Choice.tsx";

export function Header() {
  const { t, language } = useTexts();
  const theme = usePage((state) => state.theme);
  const setPreference = usePage((state) => state.setPreference);
  const themes: Record<Theme, string> = { auto: t.themeAuto, light: t.themeLight, dark: t.themeDark };
  return (
    <header className="flex flex-wrap items-center gap-x-6 gap-y-1 border-b border-line bg-sheet px-4 py-2.5">
      <h1 className="font-semibold whitespace-nowrap sm:text-xl">{t.title}</h1>
      <Navigation />
      <DeviceLine />
      <div className="flex gap-2">
        <ShareMenu />
        <Choice
          label={t.language}
          value={language}
          options={LANGUAGES.map((value) => ({ value, text: LOCALES[value].name, lang: value }))}
          onChoose={(value) => setPreference({ language: value })}
        />
        <Choice
          label={t.theme}
          value={theme}
          options={THEMES.map((value) => ({ value, text: themes[value] }))}
          onChoose={(value) => setPreference({ theme: value })}
        />
      </div>
    </header>
  );
}

function Navigation() {
  const { t } = useTexts();
  const current = usePageName();
  const names: Record<PageName, string> = {
    playground: t.pagePlayground,
    models: t.pageModels,
    lab: t.pageLab,
    learn: t.pageLearn,
  };
  return (
    <nav
      aria-label={t.pages}
      className="-mx-2 flex flex-1 basis-full gap-0.5 overflow-x-auto sm:mx-0 sm:flex-none sm:gap-1"
    >
      {PAGES.map((page) => (
        <a
          key={page}
          href={hrefOf(page)}
          aria-current={page === current ? "page" : undefined}
          className="rounded-md px-2 py-1 text-sm whitespace-nowrap sm:px-2.5 text-quiet hover:text-ink aria-[current=page]:bg-bubble aria-[current=page]:font-semibold aria-[current=page]:text-ink"
        >
          {names[page]}
        </a>
      ))}
    </nav>
  );
}

/** What the engine runs on, and how fast it was last. */
function DeviceLine() {
  const { t, language } = useTexts();
  const device = usePage((state) => state.device);
  const speed = usePage((state) => state.turns.findLast(({ stats }) => stats)?.stats?.tokensPerSecond);
  const failed = usePage((state) => state.failure !== undefined);
  const onProcessor = usePage(({ model }) => model.status === "ready" && model.model.runtime === "onnx-wasm");
  if (!device && !onProcessor && failed) return null;
  const name = device ? ["WebGPU", deviceName(device), ...(device.isFallback ? [t.deviceSoftware] : [])] : undefined;
  const parts =
    onProcessor || name
      ? [
          ...(onProcessor ? ["WebAssembly"] : (name ?? [])),
          ...(speed === undefined ? [] : [`${formatCount(Math.round(speed), language)} ${t.perSecond}`]),
        ]
      : [t.deviceOpening];
  return (
    <p title={parts.join(" · ")} className="min-w-0 flex-1 truncate text-right text-xs text-quiet max-sm:sr-only">
      <span className="sr-only">{t.device}: </span>
      {parts.join(" · ")}
    </p>
  );
}

function deviceName({ description, vendor, architecture }: DeviceInfo): string {
  return description || [vendor, architecture].filter(Boolean).join(" ") || "GPU";
}
