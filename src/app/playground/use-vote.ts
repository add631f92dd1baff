import { useEffect, useState } from "react";
import type * as Vote from "./vote.ts";

type VoteModule = typeof Vote;

let loaded: VoteModule | undefined;

/** The grader that counts and checks answers; it comes when several samples are first shown. */
export function useVoteModule(): VoteModule | undefined {
  const [vote, setVote] = useState(loaded);
  useEffect(() => {
    if (loaded) return;
    const load = async (): Promise<void> => {
      loaded = await import("./vote.ts");
      setVote(loaded);
    };
    // Without it the samples stand as they are.
    load().catch(() => undefined);
  }, []);
  return vote;
}
