import { useState } from "react";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Figure } from "../parts/Section.tsx";
import { pathTexts } from "./texts.ts";

type Kind = "model" | "rl" | "sft" | "data";

const TRACKS = [
  {
    name: "zeroTrack",
    stages: [
      { name: "base", kind: "model" },
      { name: "zeroRl", kind: "rl" },
      { name: "zero", kind: "model" },
    ],
  },
  {
    name: "r1Track",
    stages: [
      { name: "base", kind: "model" },
      { name: "cold", kind: "sft" },
      { name: "rl1", kind: "rl" },
      { name: "reject", kind: "data" },
      { name: "sft", kind: "sft" },
      { name: "rl2", kind: "rl" },
      { name: "r1", kind: "model" },
    ],
  },
  {
    name: "distillTrack",
    stages: [
      { name: "student", kind: "model" },
      { name: "distillSft", kind: "sft" },
      { name: "distilled", kind: "model" },
    ],
  },
] as const;
type StageName = (typeof TRACKS)[number]["stages"][number]["name"];

const LOOKS: Readonly<Record<Kind, string>> = {
  model: "bg-bubble font-semibold border-edge",
  rl: "bg-paper border-edge border-l-4 border-l-reward",
  sft: "bg-paper border-edge",
  data: "bg-paper border-edge border-dashed",
};

/** The way from the base model to R1-Zero, to R1 and to the distilled models; a stage says what happens in it. */
export function PipelineFigure({ number }: { readonly number: string }) {
  const { t } = usePartTexts(pathTexts);
  const [chosen, setChosen] = useState<StageName>("zeroRl");
  return (
    <Figure title={`${number} ${t.figure}`} caption={t.caption}>
      <div className="flex flex-col gap-4">
        {TRACKS.map((track) => (
          <div key={track.name} className="grid gap-x-4 gap-y-1.5 sm:grid-cols-[5.5rem_minmax(0,1fr)]">
            <p className="text-sm text-quiet sm:pt-1.5">{t[track.name]}</p>
            <ol className="flex flex-wrap items-center gap-y-2">
              {track.stages.map(({ name, kind }, i) => (
                <li key={name} className="flex items-center">
                  {i > 0 ? (
                    <span aria-hidden className="px-1.5 text-quiet">
                      →
                    </span>
                  ) : null}
                  <button
                    type="button"
                    aria-pressed={chosen === name}
                    className={`rounded-md border px-2.5 py-1.5 text-sm whitespace-nowrap hover:border-ink aria-pressed:outline-2 aria-pressed:outline-accent ${LOOKS[kind]}`}
                    onClick={() => setChosen(name)}
                  >
                    {t[name]}
                  </button>
                </li>
              ))}
            </ol>
          </div>
        ))}
      </div>
      <div role="status" className="mt-4 min-h-[6lh] rounded-md bg-paper p-3 text-sm sm:min-h-[4lh]">
        <strong className="font-semibold">{t[chosen]}.</strong> {t[`${chosen}Text`]}
      </div>
    </Figure>
  );
}
