import * as v from "valibot";
import { parseRunRecord } from "../../train/record/read.ts";
import { RUN_FILE, RUN_LOGS } from "../../train/record/run-record.ts";
import { LANGUAGES } from "../i18n/texts.ts";
import { fetchShipped, parseShipped } from "../shipped-files.ts";
import { runDataOf } from "./record-data.ts";
import type { RunData } from "./run-data.ts";

const LIST = "runs/index.json";
const MAX_RECORDS = 100;
const count = v.pipe(v.number(), v.integer(), v.minValue(1));

/** An entry of `public/runs/index.json`: a record that comes with the page, in `public/runs/<name>/`. */
const recordedSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[\w-][\w.-]*$/)),
  title: v.object(v.entriesFromList(LANGUAGES, v.pipe(v.string(), v.minLength(1), v.maxLength(200)))),
  steps: count,
  /** What opening it downloads. */
  bytes: count,
  /** The logs that it has beside `run.json`. */
  logs: v.array(v.picklist(RUN_LOGS)),
});

export type RecordedRun = v.InferOutput<typeof recordedSchema>;

/**
 * The records that come with the page, the first of which is shown before anything is started. None where the page was
 * built without any.
 * @throws R1Error E_HTTP, E_JSON
 */
export async function fetchRecordedRuns(): Promise<readonly RecordedRun[]> {
  return parseRecordedRuns(await fetchShipped(LIST));
}

/** @throws R1Error E_JSON naming the field */
export function parseRecordedRuns(json: string): readonly RecordedRun[] {
  return parseShipped(v.pipe(v.array(recordedSchema), v.maxLength(MAX_RECORDS)), json, LIST);
}

/**
 * A record that comes with the page.
 * @param base the page's address, where there is no page: in a worker
 * @throws R1Error E_HTTP; E_JSON, E_FORMAT naming file, line and field
 */
export async function fetchRecordedRun(
  { name, logs }: Pick<RecordedRun, "name" | "logs">,
  base?: string,
): Promise<RunData> {
  const texts = await Promise.all(
    [RUN_FILE, ...logs].map(async (file) => [file, await fetchShipped(`runs/${name}/${file}`, base)] as const),
  );
  const record = parseRunRecord({ [RUN_FILE]: "", ...Object.fromEntries(texts) });
  return runDataOf(record, { id: `recorded/${name}`, name, isRecorded: true });
}
