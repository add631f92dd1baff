import { create, globals } from "webgpu";
import { R1Error } from "../../errors.ts";
import { openGpu } from "../device.ts";
import type { GpuContext, GpuOptions } from "../device.ts";
import { easePolling } from "./ease-polling.ts";
import { prepareLoader, useSoftwareDriver } from "./driver.ts";

/** `auto`: the best adapter found; `software`: the software driver even where a GPU is. */
export type DeviceChoice = "auto" | "software";

// Dawn frees its instance with the last reference to it, devices included.
const instances: GPU[] = [];

/**
 * Opens a device in Node on Dawn.
 * @throws R1Error E_NO_ADAPTER when neither a GPU nor a software driver is installed
 */
export async function openNodeGpu(choice: DeviceChoice = "auto", options: GpuOptions = {}): Promise<GpuContext> {
  if (choice === "auto") {
    prepareLoader();
    try {
      return await openGpu(newInstance(), options);
    } catch (error) {
      if (!(error instanceof R1Error) || error.code !== "E_NO_ADAPTER") throw error;
    }
  }
  const manifest = useSoftwareDriver();
  if (!manifest) {
    throw new R1Error(
      "E_NO_ADAPTER",
      "no Vulkan driver was found; `npm test` installs a software one, or set R1_SOFTWARE_ICD to a driver manifest",
    );
  }
  return openGpu(newInstance(), options);
}

function newInstance(): GPU {
  Object.assign(globalThis, globals);
  easePolling();
  const gpu = create([]);
  instances.push(gpu);
  return gpu;
}
