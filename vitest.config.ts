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

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: "unit", include: ["src/**/*.test.ts"], exclude: ["src/**/*.golden.test.ts"] } },
      { test: { ...common, name: "golden", include: ["src/**/*.golden.test.ts"] } },
    ],
  },
});
