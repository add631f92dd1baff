import { FailureNote } from "../app/components/FailureNote.tsx";
import { Composer } from "../app/playground/Composer.tsx";
import { Conversation } from "../app/playground/Conversation.tsx";
import { LoadingNote } from "../app/playground/LoadingNote.tsx";
import { WithoutGpu } from "../app/traces/WithoutGpu.tsx";

/** The page's own conversation. */
export function ChatView({ hasComposer }: { readonly hasComposer: boolean }) {
  return (
    <>
      <WithoutGpu>
        <Conversation />
      </WithoutGpu>
      <div className="flex flex-col gap-3 border-t border-line px-4 pt-3 pb-4 empty:hidden">
        <LoadingNote />
        <FailureNote />
        {hasComposer ? <Composer /> : null}
      </div>
    </>
  );
}
