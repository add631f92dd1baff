import { usePartTexts } from "../i18n/use-part-texts.ts";
import { ModalDialog } from "./ModalDialog.tsx";
import { shareTexts } from "./texts.ts";

interface LinkDialogProps {
  readonly link: string;
  readonly onClose: () => void;
}

/** Where the clipboard is refused: the link to be copied by hand. */
export function LinkDialog({ link, onClose }: LinkDialogProps) {
  const { t } = usePartTexts(shareTexts);
  return (
    <ModalDialog heading={t.linkHeading} closeLabel={t.close} onClose={onClose}>
      <p className="text-sm">{t.linkByHand}</p>
      <textarea
        ref={(field) => field?.select()}
        readOnly
        rows={4}
        aria-label={t.linkHeading}
        value={link}
        className="w-full rounded-md border border-edge bg-paper px-3 py-2 font-mono text-xs break-all"
        onFocus={({ target }) => target.select()}
      />
    </ModalDialog>
  );
}
