/** Tags of R1's output (DeepSeek-R1, arXiv 2501.12948, table 1). Distilled checkpoints use the first two only. */
export const THINK_START = "<think>";
export const THINK_END = "</think>";
export const ANSWER_START = "<answer>";
export const ANSWER_END = "</answer>";
