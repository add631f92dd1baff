import { useId, useState } from "react";
import type { HubOffer } from "../../engine/protocol.ts";
import { Button } from "../components/Button.tsx";
import { FailureBox } from "../components/FailureNote.tsx";
import { formatBytes } from "../format.ts";
import { LOCALES } from "../i18n/texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { FormatChoice, usualFormat } from "./FormatChoice.tsx";
import { useHub } from "./hub-store.ts";
import { MemoryLines } from "./MemoryLines.tsx";
import { usePlan, usePlans } from "./plan-store.ts";
import { modelsTexts } from "./texts.ts";
import { visible } from "../../visible-text.ts";

const FIELD = "w-full rounded-md border border-edge bg-paper px-2 py-1.5 text-sm";

/** A repository by its name: what it has that can be opened. */
export function AnyRepository() {
  const { t, language } = usePartTexts(modelsTexts);
  const id = useId();
  const [address, setAddress] = useState("");
  const token = useHub((state) => state.token);
  const setToken = useHub((state) => state.setToken);
  const isLooking = useHub((state) => state.isLooking);
  const failure = useHub((state) => state.failure);
  const look = useHub((state) => state.look);
  const dismiss = useHub((state) => state.dismiss);
  return (
    <section aria-labelledby={`${id}-heading`} className="flex flex-col gap-3">
      <h3 id={`${id}-heading`} className="font-semibold">
        {t.anyRepository}
      </h3>
      <form
        className="flex flex-col gap-3 text-sm"
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim() !== "") void look(address);
        }}
      >
        <label className="flex flex-col gap-1">
          {t.address}
          <input
            className={FIELD}
            value={address}
            spellCheck={false}
            autoComplete="off"
            aria-describedby={`${id}-hint`}
            onChange={({ target }) => setAddress(target.value)}
          />
        </label>
        <p id={`${id}-hint`} className="text-xs text-quiet">
          {t.addressHint}
        </p>
        <label className="flex flex-col gap-1">
          {t.token}
          <input
            className={FIELD}
            type="password"
            value={token}
            autoComplete="off"
            aria-describedby={`${id}-token`}
            onChange={({ target }) => setToken(target.value)}
          />
        </label>
        <p id={`${id}-token`} className="text-xs text-quiet">
          {t.tokenHint}
        </p>
        <Button type="submit" className="self-start" disabled={isLooking || address.trim() === ""}>
          {t.look}
        </Button>
      </form>
      {failure ? (
        <FailureBox
          heading={t.lookFailed}
          sentence={LOCALES[language].errors[failure.code]}
          failure={failure}
          actions={<Button onClick={dismiss}>{t.dismiss}</Button>}
        />
      ) : null}
      <Offer />
    </section>
  );
}

function Offer() {
  const { t } = usePartTexts(modelsTexts);
  const offer = useHub((state) => state.offer);
  if (!offer) return null;
  return (
    <div className="text-sm">
      <p className="text-xs text-quiet">
        {t.found} <code>{offer.commit.slice(0, 10)}</code>
      </p>
      <ul className="mt-1 flex flex-col divide-y divide-line">
        {offer.models.map((model) => (
          <OfferedModel key={model.address} offer={offer} model={model} />
        ))}
      </ul>
    </div>
  );
}

interface OfferedModelProps {
  readonly offer: HubOffer;
  readonly model: HubOffer["models"][number];
}

function OfferedModel({ offer, model }: OfferedModelProps) {
  const { t, language } = usePartTexts(modelsTexts);
  const { address, file, bytes } = model;
  const download = useHub((state) => state.download);
  const isRunning = useHub((state) => state.downloads[address]?.state === "running");
  const take = usePlans((state) => state.take);
  const known =
    offer.config === undefined ? undefined : { kind: "config" as const, config: offer.config, weights: model };
  const { advice, choice } = usePlan(address, known, usualFormat(model));
  return (
    <li className="flex flex-col gap-1 py-2">
      <div className="flex items-center justify-between gap-3">
        <span className="min-w-0 break-all">
          {visible(file)} <span className="text-xs text-quiet">{formatBytes(bytes, language)}</span>
        </span>
        <Button
          disabled={isRunning}
          aria-label={`${t.download}: ${visible(file)}`}
          onClick={() => void download(address)}
        >
          {t.download}
        </Button>
      </div>
      {known ? <FormatChoice id={address} weights={model} choice={choice} /> : null}
      <MemoryLines advice={advice} label={visible(file)} onTake={(taken) => take(address, taken)} />
    </li>
  );
}
