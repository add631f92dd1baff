import { defineConfig } from "vitest/config";

// GPU tests share one software device per file; running files one after another keeps two cores from
// being contended by two software renderers and makes timings repeatable.
const common = {
  environment: "node" as const,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  fileParallelism: false,
  setupFiles: ["src/gpu/node/test-setup.ts"],
};

const GOLDEN = "src/**/*.golden.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["src/**/*.test.{ts,tsx}", "scripts/**/*.test.mjs"],
          exclude: [GOLDEN],
          // Unit tests compile hundreds of kernels and run each for a moment: lavapipe compiles three times as fast
          // without LLVM's optimisations. Golden tests run a few kernels for long, and keep them.
          env: { GALLIVM_PERF: "nopt" },
        },
      },
      { test: { ...common, name: "golden", include: [GOLDEN] } },
    ],
  },
});
