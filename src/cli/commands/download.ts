import { basename, join } from "node:path";
import { parseHubAddress } from "../../checkpoint/hub/address.ts";
import { checkCatalogueConfig } from "../../checkpoint/hub/catalogue.ts";
import { chooseModel } from "../../checkpoint/hub/choose-model.ts";
import { downloadModel } from "../../checkpoint/hub/download.ts";
import { Hub } from "../../checkpoint/hub/hub.ts";
import type { DownloadProgress } from "../../checkpoint/hub/meter.ts";
import { diskStore, freeDiskBytes, nodeSha256 } from "../../checkpoint/hub/node/disk-store.ts";
import { UsageError } from "../args.ts";
import { note } from "../command.ts";
import { interruptible } from "../signals.ts";
import type { Command } from "../command.ts";

/** Progress goes to standard error at most so often. */
const NOTE_EVERY_MS = 2000;

export const downloadCommand: Command = {
  name: "download",
  usage: "<owner/name[@revision][:file]> [--endpoint URL] [--out DIR]",
  summary: "a model from the Hugging Face Hub; goes on where it was stopped; needs no device",
  options: { endpoint: { type: "string" }, out: { type: "string" } },
  maxPositionals: 1,
  async run(args) {
    const [name] = args.positionals;
    if (name === undefined) throw new UsageError("download needs owner/name[@revision][:file]");
    const address = parseHubAddress(name);
    // As Hugging Face's own tools have them. A token is never an argument, which other processes could read.
    const { HF_ENDPOINT: endpoint, HF_TOKEN: token } = process.env;
    const hub = new Hub({ ...given("endpoint", args.text("endpoint") ?? endpoint), ...given("token", token) });
    const listing = await hub.list(address, undefined, (files) => note(`listing: ${files} files so far`));
    const model = chooseModel(listing, address);
    const out = args.text("out") ?? join("models", basename(address.repository));
    note(`${listing.repository} at ${listing.commit}: ${model.files.length} files, ${model.bytes} bytes to ${out}`);
    const store = diskStore(out);
    const stop = interruptible("stopping; what has come stays, and the same command goes on from there");
    try {
      await downloadModel(hub, listing, model, store, {
        signal: stop.signal,
        freeBytes: () => freeDiskBytes(out),
        checkConfig: (config) => checkCatalogueConfig(address.repository, config),
        newSha256: nodeSha256,
        onProgress: notes(),
      });
    } finally {
      stop.dispose();
    }
    const files = model.files.map(({ path, size, sha256 }) => ({
      path: join(out, path),
      bytes: size,
      sha256: sha256 ?? null,
    }));
    const path = model.format === "gguf" ? join(out, model.file) : out;
    return {
      json: { path, repository: listing.repository, commit: listing.commit, bytes: model.bytes, files },
      text: files.map((file) => `${file.path}  ${file.bytes} bytes`).join("\n"),
    };
  },
};

function given<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  const entries: { [P in K]?: string } = {};
  if (value !== undefined && value !== "") entries[key] = value;
  return entries;
}

/** Tells progress now and then, and every new file. */
function notes(): (progress: DownloadProgress) => void {
  let [told, last] = [-Infinity, ""];
  return ({ stage, file, receivedBytes, totalBytes, bytesPerSecond, secondsLeft }) => {
    const now = performance.now();
    const what = `${stage} ${file}`;
    if (what === last && now - told < NOTE_EVERY_MS) return;
    [told, last] = [now, what];
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * receivedBytes) / totalBytes);
    const speed = bytesPerSecond > 0 ? `, ${(bytesPerSecond / 1e6).toFixed(1)} MB/s` : "";
    const left = secondsLeft === undefined ? "" : `, ${Math.ceil(secondsLeft)} s left`;
    note(`${what}: ${percent}%${speed}${left}`);
  };
}
