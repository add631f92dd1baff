import { perItem } from "./reward.ts";

/** DAPO (arXiv:2503.14476, eq. 13; TRL `get_soft_overlong_punishment`): a linear fall over the last `softPunishCache` tokens. */
export const softOverlong = perItem(
  "soft_overlong",
  "0, falling to −1 over the last tokens before the length limit",
  ({ ids }, { maxCompletionLength, softPunishCache }) => {
    const free = maxCompletionLength - softPunishCache;
    if (ids.length <= free) return 0;
    return ids.length <= maxCompletionLength ? (free - ids.length) / softPunishCache : -1;
  },
);
