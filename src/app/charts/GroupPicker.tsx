import { useRef } from "react";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { isDead } from "./groups.ts";
import type { Group } from "./groups.ts";
import { signOf } from "./scales.ts";
import { SIGN_FILL } from "./sign-styles.ts";
import type { Sign } from "./scales.ts";
import { stepKeys } from "./step-keys.ts";
import { chartTexts } from "./texts.ts";

interface GroupPickerProps {
  readonly groups: readonly Group[];
  /** Place in `groups`. */
  readonly chosen: number;
  readonly onChoose: (place: number) => void;
}

/** All groups of a step, each as how many of its completions did better, worse or the same; arrow keys move. */
export function GroupPicker({ groups, chosen, onChoose }: GroupPickerProps) {
  const { t } = usePartTexts(chartTexts);
  const buttons = useRef<(HTMLButtonElement | null)[]>([]);
  return (
    <div role="radiogroup" aria-label={t.groups} className="flex max-h-24 flex-wrap gap-1 overflow-y-auto p-0.5">
      {groups.map((group, place) => (
        <button
          key={group.group}
          ref={(button) => {
            buttons.current[place] = button;
          }}
          type="button"
          role="radio"
          aria-checked={place === chosen}
          aria-label={`${t.group} ${place + 1}: ${group.prompt}${isDead(group) ? `. ${t.groupDead}` : ""}`}
          title={group.prompt}
          tabIndex={place === chosen ? 0 : -1}
          className="flex h-8 w-6 flex-col-reverse overflow-hidden rounded-sm border border-edge bg-sheet p-0.5 hover:border-ink aria-checked:outline-2 aria-checked:outline-ink"
          onClick={() => onChoose(place)}
          onKeyDown={(press) => {
            const next = stepKeys(press.key, place, 0, groups.length - 1);
            if (next === undefined) return;
            press.preventDefault();
            onChoose(next);
            buttons.current[next]?.focus();
          }}
        >
          {(["negative", "zero", "positive"] as const).map((sign) => (
            <Share key={sign} group={group} sign={sign} />
          ))}
        </button>
      ))}
    </div>
  );
}

function Share({ group, sign }: { readonly group: Group; readonly sign: Sign }) {
  const count = group.completions.filter(({ advantage }) => signOf(advantage) === sign).length;
  if (count === 0) return null;
  const fill = sign === "zero" ? "bg-line" : SIGN_FILL[sign];
  return <span className={`w-full ${fill}`} style={{ height: `${(100 * count) / group.completions.length}%` }} />;
}
