import { useId } from "react";
import type { CompletionRecord } from "../../engine/protocol.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { AdvantageBar } from "./AdvantageBar.tsx";
import { Explain } from "./Explain.tsx";
import { formatSigned, formatValue } from "./format-value.ts";
import { GroupPicker } from "./GroupPicker.tsx";
import { gistOf, isDead, textOf } from "./groups.ts";
import type { Group } from "./groups.ts";
import { reachOf, signOf } from "./scales.ts";
import { SIGN_TEXT } from "./sign-styles.ts";
import { chartTexts } from "./texts.ts";

export interface GroupViewProps {
  readonly header: RunHeader;
  /** The groups of one step. */
  readonly groups: readonly Group[];
  readonly step: number;
  /** Place in `groups`. */
  readonly chosen: number;
  readonly onChoose: (place: number) => void;
  /** The completion that is being read. */
  readonly opened?: CompletionRecord | undefined;
  readonly onOpen?: (completion: CompletionRecord) => void;
}

/** One prompt and its completions, from the best to the worst: what was rewarded, and what follows from it. */
export function GroupView({ header, groups, step, chosen, onChoose, opened, onOpen }: GroupViewProps) {
  const { t, language } = usePartTexts(chartTexts);
  const titleId = useId();
  const group = groups[chosen];
  return (
    <section aria-labelledby={titleId} className="min-w-0">
      <h3 className="relative flex flex-wrap items-baseline gap-x-3">
        <span id={titleId} className="text-xl font-semibold">
          {t.groupView}
        </span>
        <Explain name={t.groupView} text={t.groupHelp} />
        {group ? (
          <span className="text-sm text-quiet">
            {t.step} {formatCount(step, language)} · {t.group} {chosen + 1} {t.groupOf} {groups.length}
          </span>
        ) : null}
      </h3>
      {group ? (
        <>
          <div className="mt-2 flex flex-col gap-2">
            <GroupPicker groups={groups} chosen={chosen} onChoose={onChoose} />
            <p className="border-l-4 border-line py-1 pl-3 break-words whitespace-pre-wrap">
              <span className="sr-only">{t.prompt}: </span>
              {group.prompt}
            </p>
            <p className="text-sm text-quiet">
              {isDead(group) ? t.groupDead : <Formula header={header} group={group} />}
            </p>
          </div>
          <CompletionTable group={group} opened={opened} onOpen={onOpen} />
        </>
      ) : (
        <p className="mt-2 rounded-md border border-dashed border-line px-6 py-8 text-center text-sm text-quiet">
          {t.groupEmpty}
        </p>
      )}
    </section>
  );
}

/** How rewards become advantages in this group, where mean and spread say it all. */
function Formula({ header, group }: { readonly header: RunHeader; readonly group: Group }) {
  const { t, language } = usePartTexts(chartTexts);
  const mean = formatValue(group.mean, "number", language);
  const std = formatValue(group.std, "number", language);
  const scale =
    header.kind === "grpo" && header.config.multi_objective_aggregation === "sum_then_normalize"
      ? header.config.scale_rewards
      : undefined;
  const formula = scale === "group" ? `A = (r − ${mean}) / ${std}` : scale === "none" ? `A = r − ${mean}` : undefined;
  return (
    <>
      {formula ? <span className="mr-3 font-mono text-ink">{formula}</span> : null}
      {t.mean} {mean} · {t.standardDeviation} {std}
    </>
  );
}

interface CompletionTableProps {
  readonly group: Group;
  readonly opened: CompletionRecord | undefined;
  readonly onOpen: ((completion: CompletionRecord) => void) | undefined;
}

function CompletionTable({ group, opened, onOpen }: CompletionTableProps) {
  const { t, language } = usePartTexts(chartTexts);
  const { completions } = group;
  const parts = [...new Set(completions.flatMap(({ rewards }) => Object.keys(rewards)))];
  const reach = reachOf(completions.map(({ advantage }) => advantage));
  const longest = Math.max(1, ...completions.map(({ length }) => length));
  const hasKl = completions.some(({ kl }) => kl !== undefined);
  const hasClip = completions.some(({ clip_fraction: clip }) => clip !== undefined);
  const sorted = completions
    .map((completion, i) => ({ completion, number: i + 1 }))
    .toSorted((a, b) => b.completion.advantage - a.completion.advantage);
  const heads = [
    t.advantage,
    t.rewardColumn,
    ...parts,
    t.lengthColumn,
    t.finish,
    ...(hasKl ? [t.klColumn] : []),
    ...(hasClip ? [t.clipColumn] : []),
  ];
  const reward = (value: number | null | undefined): string =>
    value === null || value === undefined ? "–" : formatValue(value, "number", language);
  return (
    <div role="region" tabIndex={0} aria-label={`${t.groupView}: ${t.completion}`} className="mt-2 overflow-x-auto">
      <table className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-b border-edge text-left text-xs text-quiet">
            <th scope="col" className="py-1 pr-2 pl-1 font-normal">
              <abbr title={t.completion} className="no-underline">
                #
              </abbr>
            </th>
            {heads.map((head, i) => (
              <th key={i} scope="col" className="px-2 py-1 font-normal whitespace-nowrap">
                {head}
              </th>
            ))}
            <th scope="col" className="w-full px-2 py-1 font-normal">
              {t.text}
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ completion, number }) => (
            <tr
              key={number}
              className={`relative border-b border-line ${completion === opened ? "bg-bubble" : "hover:bg-bubble"}`}
            >
              <th scope="row" className="py-1 pr-2 pl-1 text-left font-normal text-quiet">
                {number}
              </th>
              <td className="px-2 py-1 whitespace-nowrap">
                <AdvantageBar advantage={completion.advantage} reach={reach} />
                <span
                  className={`ml-2 inline-block w-12 text-right font-semibold ${SIGN_TEXT[signOf(completion.advantage)]}`}
                >
                  {formatSigned(completion.advantage, language)}
                </span>
              </td>
              <td className="px-2 py-1 font-semibold text-reward">{reward(completion.reward)}</td>
              {parts.map((part) => (
                <td key={part} className="px-2 py-1 text-reward">
                  {reward(completion.rewards[part])}
                </td>
              ))}
              <td className="px-2 py-1 whitespace-nowrap">
                <span className="inline-block w-8 text-right">{formatCount(completion.length, language)}</span>
                <span
                  aria-hidden
                  className="ml-2 inline-block h-1.5 bg-thought align-middle"
                  style={{ width: `${(completion.length / longest) * 4}rem` }}
                />
              </td>
              <td className="px-2 py-1 whitespace-nowrap">
                {completion.finish_reason === "eos" ? t.finishEos : t.finishLength}
              </td>
              {hasKl ? <td className="px-2 py-1 text-kl">{small(completion.kl, language)}</td> : null}
              {hasClip ? <td className="px-2 py-1">{percent(completion.clip_fraction, language)}</td> : null}
              <td className="w-full max-w-0 min-w-48 px-2 py-1">
                <button
                  type="button"
                  aria-label={`${t.openCompletion} ${number}`}
                  aria-pressed={completion === opened}
                  // The whole row opens it.
                  className="block w-full truncate text-left after:absolute after:inset-0"
                  onClick={() => onOpen?.(completion)}
                >
                  <code>{gistOf(completion)}</code>
                  <code className="ml-3 text-xs text-quiet">{textOf(completion).thought.slice(0, 240)}</code>
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function small(value: number | undefined, language: "en" | "ja"): string {
  return value === undefined || !Number.isFinite(value) ? "–" : formatValue(value, "small", language);
}

function percent(value: number | undefined, language: "en" | "ja"): string {
  return value === undefined ? "–" : formatValue(value, "percent", language);
}
