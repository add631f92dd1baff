import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Chevron } from "../components/Chevron.tsx";

interface PanelToggleProps {
  /** Id of the panel. */
  readonly panel: string;
  readonly open: boolean;
  readonly onToggle: () => void;
}

/** On narrow screens: one line that says what is chosen, and opens the panel to choose otherwise. */
export function PanelToggle({ panel, open, onToggle }: PanelToggleProps) {
  const { t } = useTexts();
  const model = usePage((state) => state.model);
  const name = model.status === "ready" ? model.model.name : model.status === "lost" ? model.name : t.modelNone;
  return (
    <button
      type="button"
      aria-expanded={open}
      aria-controls={panel}
      className="flex items-center gap-2 border-b border-line px-4 py-2.5 text-left text-sm md:hidden"
      onClick={onToggle}
    >
      <Chevron open={open} />
      <span className="font-semibold">{t.panel}</span>
      <span className="truncate text-quiet">{name}</span>
    </button>
  );
}
