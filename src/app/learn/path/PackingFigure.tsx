import { useState } from "react";
import type { Packing } from "../../../train/packing.ts";
import { formatCount } from "../../format.ts";
import { formatShare } from "../parts/format-share.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Figure } from "../parts/Section.tsx";
import { Slider } from "../parts/Slider.tsx";
import { learnTexts } from "../texts.ts";
import { attentionPairs, exampleLengths, layOutBoth, placesOf } from "./batch.ts";
import { pathTexts } from "./texts.ts";

/** Tokens of a pack; the longest sequence is at most one. */
const CAPACITY = 96;

/** A batch laid out with padding, and packed. */
export function PackingFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(pathTexts);
  const { t: shared } = usePartTexts(learnTexts);
  const [longest, setLongest] = useState(64);
  const [spread, setSpread] = useState(0.9);
  const { padded, packed } = layOutBoth(exampleLengths(longest, spread), CAPACITY);
  return (
    <Figure title={`${number} ${t.packFigure}`} caption={t.packCaption}>
      <div className="mb-5 grid gap-x-8 gap-y-3 sm:grid-cols-2">
        <Slider
          label={t.longest}
          value={longest}
          min={16}
          max={CAPACITY}
          step={4}
          text={`${longest} ${shared.tokens}`}
          onChange={setLongest}
        />
        <Slider
          label={t.spread}
          value={spread}
          min={0}
          max={1}
          step={0.05}
          text={formatShare(spread, language)}
          onChange={setSpread}
        />
      </div>
      <div className="grid gap-6 md:grid-cols-2">
        <Layout name={t.padded} packing={padded} rowWidth={longest} isPadded />
        <Layout name={t.packed} packing={packed} rowWidth={CAPACITY} />
      </div>
      <p className="mt-4 text-xs break-words text-quiet">
        <code lang="en">
          cu_seqlens{" "}
          {packed.packs
            .map(({ cuSeqlens }) => `[${Array.from(cuSeqlens, (at) => formatCount(at, language)).join(", ")}]`)
            .join(" ")}
        </code>
      </p>
    </Figure>
  );
}

interface LayoutProps {
  readonly name: string;
  readonly packing: Packing;
  /** Tokens a row has room for. */
  readonly rowWidth: number;
  readonly isPadded?: boolean;
}

function Layout({ name, packing, rowWidth, isPadded = false }: LayoutProps) {
  const { t, language } = usePartTexts(pathTexts);
  const places = packing.packs.map((pack) => placesOf(pack));
  // A padded batch is drawn by its sequences, one a row, however many fit in a pack.
  const rows = isPadded ? places.flat().map((place) => [{ ...place, start: 0 }]) : places;
  return (
    <div>
      <p className="mb-2 flex flex-wrap items-baseline justify-between gap-x-3 text-sm">
        <span className="font-semibold">{name}</span>
        <span>
          <strong className="text-xl font-semibold">{formatShare(packing.packing_efficiency, language)}</strong>{" "}
          {t.efficiency}
        </span>
      </p>
      <div aria-hidden className="flex flex-col gap-1">
        {rows.map((row) => (
          <div
            key={row[0]?.sequence}
            className="relative h-5 rounded-sm border border-dashed border-edge"
            style={{ width: `${(100 * rowWidth) / CAPACITY}%` }}
          >
            {row.map(({ sequence, start, length }) => (
              <span
                key={sequence}
                className="absolute inset-y-0 border-r-2 border-sheet bg-positive transition-[left,width] duration-250 motion-reduce:transition-none"
                style={{ left: `${(100 * start) / rowWidth}%`, width: `${(100 * length) / rowWidth}%` }}
              >
                <span className="absolute inset-0 overflow-hidden pl-1 text-xs leading-5 text-sheet">
                  {sequence + 1}
                </span>
              </span>
            ))}
          </div>
        ))}
      </div>
      <p className="mt-2 text-xs text-quiet">
        {formatCount(attentionPairs(packing), language)} {t.pairs}
      </p>
    </div>
  );
}
