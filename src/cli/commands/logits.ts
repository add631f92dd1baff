import { Session } from "../../model/session.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { KV_OPTION, KV_USAGE, kvFromArgs, loadFromArgs, MODEL_OPTIONS, withKv } from "../engine.ts";

/** Rows whose logits are in memory at a time. */
const SCORED_TOGETHER = 16;

export const logitsCommand: Command = {
  name: "logits",
  usage: `--model <path> --ids 5,6,7 [--weights f32|f16|bf16|q8|q4] ${KV_USAGE}`,
  summary: "log-probabilities, argmax and entropy of a token sequence",
  options: { ...MODEL_OPTIONS, ...KV_OPTION, ids: { type: "string" } },
  async run(args) {
    const ids = args.ids("ids");
    if (!ids) throw new UsageError("--ids is missing");
    const kv = kvFromArgs(args);
    const loaded = await loadFromArgs(args);
    const { model } = loaded;
    const contextTokens = Math.min(Math.max(1, ids.length), model.spec.maxPositions);
    const sizes = withKv(loaded, kv, {
      maxSequences: SCORED_TOGETHER,
      contextTokens,
      kvTokens: Math.max(1, ids.length),
      prefillRows: Math.min(256, Math.max(SCORED_TOGETHER, ids.length)),
    });
    const session = await Session.create(model, sizes);
    const { positions, lastLogits } = await session.score(ids);
    const json = {
      last_logits: [...lastLogits],
      token_logprobs: positions.slice(0, -1).map(({ logprob }) => logprob),
      argmax_per_position: positions.map(({ argmax }) => argmax),
      entropy_per_position: positions.map(({ entropy }) => entropy),
    };
    const lines = positions.map(
      ({ argmax, entropy, logprob }, i) =>
        `${ids[i]}  argmax ${argmax}  entropy ${entropy.toFixed(4)}${logprob === undefined ? "" : `  next ${logprob.toFixed(4)}`}`,
    );
    return { json, text: lines.join("\n") };
  },
};
