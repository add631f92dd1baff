import { existsSync } from "node:fs";

/** Vulkan driver manifests of software renderers, best first: lavapipe (f16, subgroups of 8), then Chromium's SwiftShader. */
const SOFTWARE_MANIFESTS = [
  "/usr/share/vulkan/icd.d/lvp_icd.json",
  "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
  "/usr/share/vulkan/icd.d/lvp_icd.aarch64.json",
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
];

/** The software driver's manifest: `R1_SOFTWARE_ICD` if set, else the first one installed. */
export function softwareManifest(): string | undefined {
  const chosen = process.env["R1_SOFTWARE_ICD"];
  if (chosen) return chosen;
  return SOFTWARE_MANIFESTS.find((path) => existsSync(path));
}

/**
 * Points the Vulkan loader at the software driver; must run before the first Dawn instance is made.
 * @returns the manifest used, or undefined when none is installed (the loader's own choice stays).
 */
export function useSoftwareDriver(): string | undefined {
  prepareLoader();
  const manifest = softwareManifest();
  if (manifest) process.env["VK_DRIVER_FILES"] = manifest;
  return manifest;
}

/** Dawn's Vulkan backend refuses to start without a runtime directory, which containers often lack. */
export function prepareLoader(): void {
  process.env["XDG_RUNTIME_DIR"] ??= "/tmp";
}
