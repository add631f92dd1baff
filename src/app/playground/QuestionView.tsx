import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent } from "react";
import { Button } from "../components/Button.tsx";
import { QuietButton } from "../components/QuietButton.tsx";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { BranchNav } from "./BranchNav.tsx";
import type { Branches } from "./conversation.ts";
import { usePlayTexts } from "./texts.ts";
import type { Turn } from "./turn.ts";

interface QuestionViewProps {
  readonly turn: Turn;
  /** It was asked once and for all. */
  readonly isRecorded: boolean;
  readonly branches: Branches;
}

/** A question, which can be asked otherwise: the conversation then branches. */
export function QuestionView({ turn, branches, isRecorded }: QuestionViewProps) {
  const { t } = useTexts();
  const { t: p } = usePlayTexts();
  const [isEditing, setEditing] = useState(false);
  const isBusy = usePage(({ running, model }) => running !== undefined || model.status !== "ready");
  const showBranch = usePage((state) => state.showBranch);
  if (isEditing) return <QuestionForm turn={turn} isBusy={isBusy} onClose={() => setEditing(false)} />;
  return (
    <div className="flex max-w-[85%] flex-col items-end gap-1 self-end">
      <p className="max-w-full rounded-lg bg-bubble px-4 py-2 break-words whitespace-pre-wrap">
        <span className="sr-only">{t.you}: </span>
        {turn.question}
      </p>
      <div className="flex items-center gap-1">
        <BranchNav
          label={p.questions}
          place={branches.questions}
          disabled={isBusy}
          onGo={(at) => showBranch(turn, "questions", at)}
        />
        {isRecorded ? null : (
          <QuietButton disabled={isBusy} onClick={() => setEditing(true)}>
            {p.edit}
          </QuietButton>
        )}
      </div>
    </div>
  );
}

interface QuestionFormProps {
  readonly turn: Turn;
  readonly isBusy: boolean;
  readonly onClose: () => void;
}

function QuestionForm({ turn, isBusy, onClose }: QuestionFormProps) {
  const { t } = usePlayTexts();
  const id = useId();
  const [text, setText] = useState(turn.question);
  const edit = usePage((state) => state.edit);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const question = text.trim();
    if (question === "" || isBusy) return;
    onClose();
    void edit(turn, question);
  };
  return (
    <form onSubmit={submit} className="flex w-[85%] flex-col gap-2 self-end">
      <label htmlFor={id} className="sr-only">
        {t.editQuestion}
      </label>
      <textarea
        id={id}
        ref={field}
        rows={3}
        className="w-full resize-y rounded-md border border-edge bg-sheet px-3 py-2"
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={({ key }) => {
          if (key === "Escape") onClose();
        }}
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t.editCancel}</Button>
        <Button type="submit" disabled={isBusy || text.trim() === ""}>
          {t.editSend}
        </Button>
      </div>
    </form>
  );
}
