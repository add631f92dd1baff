import type { HubModel } from "../checkpoint/hub/choose-model.ts";
import type { DownloadProgress } from "../checkpoint/hub/meter.ts";
import type { ErrorCode } from "../errors.ts";
import type { GenerateEvent } from "../generate/events.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { SaidToken } from "../generate/request.ts";
import type { MatrixFormat, WeightFormat } from "../kernels/weights/format.ts";
import type { KvChoice } from "../model/kv-format.ts";
import type { KvFormat } from "../model/session-buffers.ts";
import type { MemoryPlan } from "../model/memory-plan.ts";
import type { OrtShortfall } from "../ort/memory.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { ChatMessage } from "../text/messages.ts";
import type { TrainDoneEvent, TrainEvent } from "../train/events.ts";
import type { GrpoVerdict } from "../train/run/grpo-plan.ts";

// The page knows the engine's rooms only through this file.
export type {
  Completion,
  FinishReason,
  GenerateEvent,
  GenerateStats,
  TokenAlternative,
  TokenEvent,
} from "../generate/events.ts";
export type { DownloadProgress } from "../checkpoint/hub/meter.ts";
export type { GenerateOptions } from "../generate/options.ts";
export type { SaidToken } from "../generate/request.ts";
export type { ModelSpec } from "../model/spec.ts";
export type { TrainingPlanBytes, TrainingShortfall } from "../model/training/memory-plan.ts";
export type { GrpoVerdict, SmallerRun } from "../train/run/grpo-plan.ts";
export type { ChatMessage } from "../text/messages.ts";
export type {
  CompletionRecord,
  CompletionToken,
  Metrics,
  TrainDoneEvent,
  TrainEvalEvent,
  TrainEvent,
  TrainSavedEvent,
  TrainStepEvent,
  TrainWarningCode,
  TrainWarningEvent,
} from "../train/events.ts";

/** A dropped or picked file. */
export interface PickedFile {
  /** Path within what was dropped or picked ("folder/config.json"), or only a name: a `File` loses its own on the way. */
  readonly path: string;
  readonly blob: Blob;
}

/** Where a model folder comes from: an absolute URL, files that the reader dropped or picked, or an earlier download. */
export type ModelSource =
  | PlainSource
  /** A model with a LoRA adapter in PEFT's layout (`adapter_config.json`, `adapter_model.safetensors`). */
  | {
      readonly kind: "adapted";
      /** What the adapted model is called. */
      readonly name: string;
      readonly base: ModelSource;
      readonly adapter: CheckpointFiles;
    };

type PlainSource =
  | { readonly kind: "url"; readonly baseUrl: string }
  | { readonly kind: "stored"; readonly id: string }
  | { readonly kind: "files"; readonly files: readonly PickedFile[] };

/** Who computes a chat's model: this project's kernels, or ONNX Runtime, on the graphics device or the processor. */
export type RuntimeName = "webgpu" | "onnx-webgpu" | "onnx-wasm";

export interface LoadRequest {
  /**
   * `webgpu` (default) uses this project's kernels, or ONNX Runtime for a folder that holds an ONNX model; `auto` turns to
   * the processor where there is no graphics device, or only one in software, which is slower still.
   */
  readonly runtime?: RuntimeName | "auto";
  readonly source: ModelSource;
  /** Convert or quantize while loading; by default weights stay as they are stored. */
  readonly format?: WeightFormat;
  /** Longest context in tokens; the model's own maximum, up to 4,096, by default. */
  readonly contextTokens?: number;
  /**
   * Element type of the cache: f16 takes half the memory and less time, f32 is exact. By default `auto`, which is f16 where the
   * conversation's cache in f32 would be large or would not fit the device's buffers.
   */
  readonly kv?: KvChoice;
}

/** A question: chat messages through the model's template, or plain token ids. */
export interface GenerateCall {
  readonly prompt: { readonly messages: readonly ChatMessage[] } | { readonly ids: readonly number[] };
  /** What is left out is as the model recommends. */
  readonly options: Partial<GenerateOptions>;
  /** What each sample of the same call had said when it was cut off: they go on from there. */
  readonly said?: readonly (readonly SaidToken[])[];
}

/** A checkpoint's files by name: the model (or adapter) in Hugging Face layout, and all that a run needs to go on. */
export type CheckpointFiles = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** A run of training. It needs no loaded model, and leaves one that is loaded alone. */
export interface TrainCall {
  readonly kind: "grpo" | "sft";
  /** A `run.json`; the worker checks it. */
  readonly config: unknown;
  /** What the configuration's `model` may name. */
  readonly models: Readonly<Record<string, ModelSource>>;
  /** Text of the JSONL files that the configuration's `dataset` may name. */
  readonly datasets?: Readonly<Record<string, string>>;
  /** Goes on from here, bit for bit as if the run had not been interrupted. */
  readonly checkpoint?: CheckpointFiles;
  /** `pause` waits before the model is loaded; `run` by default. */
  readonly pace?: "run" | "pause";
}

/** A run that is thought of. */
export interface TrainingPlanCall {
  /** A GRPO run's `run.json`. */
  readonly config: unknown;
  /** What the configuration's `model` may name. */
  readonly models: Readonly<Record<string, ModelSource>>;
}

/** What a run will take, before anything of it is loaded. */
export interface TrainingPlan {
  /** What the weights are held as; of several formats, the one of most bytes. */
  readonly format: MatrixFormat;
  /** The model is stored in blocks of rounded values: only an adapter can be trained. */
  readonly isQuantized: boolean;
  readonly parameters: number;
  readonly vocabSize: number;
  readonly verdict: GrpoVerdict;
  /** At most, from products that were measured on this device; see `secondsPerStep`. */
  readonly secondsPerStep: number;
}

/** `pause` takes effect after the step in progress; `step` goes on to the next step's event, and pauses there. */
export type Pace = "run" | "pause" | "step";

/** A checkpoint was made; its `saved` event follows. The page keeps it: the worker's copy goes with the device. */
export interface TrainCheckpoint {
  readonly type: "checkpoint";
  readonly step: number;
  readonly files: CheckpointFiles;
}

export type TrainProgress = TrainEvent | TrainCheckpoint;

export interface TrainResult {
  /** Updates done, those before the checkpoint it went on from included. */
  readonly step: number;
  readonly reason: TrainDoneEvent["reason"];
  /** As the run has left it. */
  readonly checkpoint: CheckpointFiles;
}

export interface DeviceInfo {
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
  /** A software renderer: right, but slow. */
  readonly isFallback: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
  readonly maxBindingSize: number;
}

export interface LoadedModel {
  readonly name: string;
  readonly spec: ModelSpec;
  readonly parameters: number;
  /** Memory of the weights: of the GPU, or of the processor with ONNX Runtime there. */
  readonly weightBytes: number;
  /** The same with cache and workspace for one sample; what ONNX Runtime takes beside its weights is not known. */
  readonly memoryBytes: number;
  readonly contextTokens: number;
  /** Contexts that it can have on this device, shortest first: usual ones, and the longest that the model was made for. */
  readonly contexts: readonly number[];
  /** What keys and values are kept in by this project's kernels; ONNX models have their own type. */
  readonly kv: KvFormat;
  readonly runtime: RuntimeName;
  /** Why `auto` chose the processor; `form`: this ONNX graph does not run on the graphics device. */
  readonly instead?: "no-device" | "software-device" | "form";
  readonly loadMs: number;
  /** Which ways of asking this folder allows. */
  readonly hasTokenizer: boolean;
  readonly hasTemplate: boolean;
  /** Settings that the model's own `generation_config.json` recommends. */
  readonly recommended: Partial<GenerateOptions>;
}

/**
 * What loading is doing. While it opens the device and checks the files, the model before is still there and stays if that
 * fails; from `weights` on it is gone.
 */
export interface LoadProgress {
  readonly stage: "device" | "files" | "weights" | "kernels";
  /** Bytes of weights; 0 of 0 in the other stages. */
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

/** A model on a hub. */
export interface HubRequest {
  /** `owner/name[@revision][:file]` */
  readonly address: string;
  /** Where the hub is; Hugging Face's by default. */
  readonly endpoint?: string;
  /** For gated and private repositories; it is kept nowhere. */
  readonly token?: string;
  /** What a downloaded file must be; another content is refused. */
  readonly sha256?: string;
}

/** What a repository has that can be opened. */
export interface HubOffer {
  readonly repository: string;
  readonly commit: string;
  /** `config.json`, of GGUF files what their metadata say in its place; undefined where it could not be had. */
  readonly config: unknown;
  readonly models: readonly (Pick<HubModel, "format" | "file" | "bytes"> & { readonly address: string })[];
}

/** What is known of a model on a hub before its weights come. */
export type HubWeights = Pick<HubModel, "format" | "file" | "bytes">;

/** A model that was downloaded, or a part of it. */
export interface StoredModel {
  readonly id: string;
  /** What it was downloaded as. */
  readonly address: string;
  readonly repository: string;
  readonly commit: string;
  readonly format: HubModel["format"];
  /** Bytes that are there, of how many. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** How it is loaded; undefined while some of it is missing. */
  readonly source: ModelSource | undefined;
  /** What its files take when they are loaded. */
  readonly weights: HubWeights;
  /** A commit of the branch that the reader does not want in this one's place. */
  readonly passedCommit?: string;
}

/** A stored model, and the later commit that it is kept in the place of. */
export interface StoredChoice {
  readonly id: string;
  readonly commit: string;
}

export interface StoredModels {
  readonly models: readonly StoredModel[];
  /** Downloads end with the page: its storage is closed to it. */
  readonly isInMemory: boolean;
  /** Undefined when the browser does not tell. */
  readonly freeBytes: number | undefined;
}

/** Asks what a model would take, and whether that fits; no weights are read. */
export interface PlanRequest {
  /** A `config.json` with what the hub tells of the weights, or where the model is. */
  readonly model:
    | { readonly kind: "config"; readonly config: unknown; readonly weights: HubWeights }
    | { readonly kind: "source"; readonly source: ModelSource };
  /** `auto` by default. */
  readonly runtime?: RuntimeName | "auto";
  /** As in `LoadRequest`. */
  readonly format?: WeightFormat;
  readonly contextTokens?: number;
  readonly kv?: KvChoice;
  /** Sequences at a time; 1 by default. */
  readonly batch?: number;
}

/** What a model takes, loaded so. */
export interface MemoryNeed {
  /** Left out: as it is stored. */
  readonly format?: WeightFormat;
  readonly contextTokens: number;
  /** What its cache is kept in by this project's kernels. */
  readonly kv: KvFormat;
  readonly batch: number;
  readonly memory: MemoryPlan;
}

export interface MemoryAdvice extends MemoryNeed {
  /** What it would run on here. Of ONNX Runtime the bytes are about right: its arena is its own. */
  readonly runtime: RuntimeName;
  /** The longest context that fits in this format, of 512, 1,024, … 32,768; 0 where none does. */
  readonly longestContext: number;
  /** As `longestContext`, within memory that is there for sure: browsers do not tell of more. For what is proposed unasked. */
  readonly safeContext: number;
  /** Why it does not fit; left out where it does. */
  readonly reason?: OrtShortfall;
  /** The largest that would. */
  readonly offer?: MemoryNeed;
}

/** What the page asks for; each method's parameters, progress and result. */
export interface EngineMethods {
  open: { readonly request: undefined; readonly progress: never; readonly result: DeviceInfo };
  load: { readonly request: LoadRequest; readonly progress: LoadProgress; readonly result: LoadedModel };
  /** Progress is what has happened since the last message, in order. */
  generate: { readonly request: GenerateCall; readonly progress: readonly GenerateEvent[]; readonly result: undefined };
  /** Progress as in `generate`; a step is told at once. Cancelled before its model is loaded, it fails with E_ABORTED. */
  train: { readonly request: TrainCall; readonly progress: readonly TrainProgress[]; readonly result: TrainResult };
  /** Gives the loaded model another context, without reading it again; what is in the cache stays where it fits. */
  setContext: { readonly request: number; readonly progress: never; readonly result: LoadedModel };
  /** Opens the device and reads headers; no weights. */
  planTraining: { readonly request: TrainingPlanCall; readonly progress: never; readonly result: TrainingPlan };
  /** A float model with its adapter added in, as a folder's files. */
  mergeAdapter: { readonly request: ModelSource; readonly progress: never; readonly result: CheckpointFiles };
  unload: { readonly request: undefined; readonly progress: never; readonly result: undefined };
  /** The rest waits for no other call. `plan` judges by the device that is open, if one is. */
  plan: { readonly request: PlanRequest; readonly progress: never; readonly result: MemoryAdvice };
  listHub: { readonly request: HubRequest; readonly progress: never; readonly result: HubOffer };
  /** Cancelled, it is paused: the next download goes on with what has arrived. */
  download: { readonly request: HubRequest; readonly progress: DownloadProgress; readonly result: StoredModel };
  listStored: { readonly request: undefined; readonly progress: never; readonly result: StoredModels };
  /** The commit that a repository's revision is now. */
  hubCommit: { readonly request: HubRequest; readonly progress: never; readonly result: string };
  /** Remembers that a stored model stays although its branch has moved on to a commit. */
  keepStored: { readonly request: StoredChoice; readonly progress: never; readonly result: undefined };
  removeStored: { readonly request: string; readonly progress: never; readonly result: undefined };
}

export type MethodName = keyof EngineMethods;

/** A method with its parameters. */
export type EngineCall<M extends MethodName = MethodName> = {
  [N in M]: { readonly method: N; readonly request: EngineMethods[N]["request"] };
}[M];

export interface ProgressMessage<M extends MethodName> {
  readonly type: "progress";
  readonly id: number;
  readonly method: M;
  readonly progress: EngineMethods[M]["progress"];
}

export interface ResultMessage<M extends MethodName> {
  readonly type: "result";
  readonly id: number;
  readonly method: M;
  readonly result: EngineMethods[M]["result"];
}

export interface ErrorMessage {
  readonly type: "error";
  readonly id: number;
  readonly error: WireError;
}

export type CallMessage = EngineCall & { readonly type: "call"; readonly id: number };

/** Page → worker. */
export type ToWorker =
  | CallMessage
  /** Ends the call with this id; it still answers, with E_ABORTED or with what it has. */
  | { readonly type: "cancel"; readonly id: number }
  /** Sets the pace of the run of training with this id. */
  | { readonly type: "pace"; readonly id: number; readonly pace: Pace };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** The one answer to a call. */
export type AnswerMessage = { [M in MethodName]: ResultMessage<M> }[MethodName] | ErrorMessage;

/** Worker → page. */
export type FromWorker =
  | { [M in MethodName]: ProgressMessage<M> }[MethodName]
  | AnswerMessage
  /** The device is gone, and the model with it; the next load opens a new one. */
  | { readonly type: "device-lost"; readonly error: WireError };
