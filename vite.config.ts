import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { rolldown } from "rolldown";
import { defineConfig } from "vite";
import type { Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

const MEBIBYTE = 2 ** 20;
/** What a visit may leave on a reader's disk: the page, and built-in models as they come until this is full. */
const MAX_PRECACHED_BYTES = 40 * MEBIBYTE;
const MAX_FILE_BYTES = 16 * MEBIBYTE;

/** The client for pages that embed the frame, as one file with a name that stays. */
function embedClient(): Plugin {
  return {
    name: "embed-client",
    apply: "build",
    async generateBundle() {
      const bundle = await rolldown({ input: "src/embed/client/embed-client.ts" });
      const { output } = await bundle.generate({ format: "es", minify: true });
      await bundle.close();
      this.emitFile({ type: "asset", fileName: "embed-client.js", source: output[0].code });
    },
  };
}

/** The page, its traces and models work without a network after one visit. */
function offline(): Plugin[] {
  return VitePWA({
    // The page says that there is a newer version, and takes it when the reader wants.
    registerType: "prompt",
    // src/app/offline.ts registers it, where it is wanted.
    injectRegister: false,
    manifest: {
      name: "R1 Playground",
      short_name: "R1",
      description: "Reasoning models and GRPO in your browser",
      start_url: ".",
      scope: ".",
      display: "standalone",
      background_color: "#fbfaf7",
      theme_color: "#fbfaf7",
      icons: [{ src: "icon.svg", sizes: "any", type: "image/svg+xml" }],
    },
    workbox: {
      globPatterns: ["**/*.{html,js,css,svg,woff2}", "{models,traces,runs}/**/*.{json,jsonl,jinja,safetensors}"],
      maximumFileSizeToCacheInBytes: MAX_FILE_BYTES,
      manifestTransforms: [
        (entries) => {
          let total = 0;
          // The page before its models: entries come in the order of the patterns.
          const manifest = entries.filter(({ size }) => (total += size) <= MAX_PRECACHED_BYTES);
          return { manifest, warnings: [] };
        },
      ],
      cleanupOutdatedCaches: true,
      // Each page is its own file; what its address says is the page's business.
      ignoreURLParametersMatching: [/./],
      navigateFallback: null,
      runtimeCaching: [
        {
          // ONNX Runtime, where it was needed once.
          urlPattern: /\.wasm$/,
          handler: "CacheFirst",
          options: { cacheName: "wasm", expiration: { maxEntries: 4 } },
        },
        {
          // A model folder need not have a template in a file of its own: without a network it has none.
          urlPattern: /\/models\/.*\/chat_template\.jinja$/,
          handler: "NetworkOnly",
          options: { plugins: [{ handlerDidError: () => Promise.resolve(new Response(null, { status: 404 })) }] },
        },
      ],
    },
  });
}

export default defineConfig({
  // Relative addresses, so that the built page works from any folder of any server.
  base: "./",
  plugins: [react(), tailwind(), embedClient(), offline()],
  // Another port where 5173 is taken; `npm start` prints the one it found.
  server: { strictPort: false },
  worker: { format: "es" },
  build: {
    target: "esnext",
    rolldownOptions: { input: { main: "index.html", embed: "embed.html", docs: "samples/docs.html" } },
    // A font within the style sheet would have a data address, which the content security policy does not allow.
    assetsInlineLimit: (file) => (/\.(woff2?|ttf)$/.test(file) ? false : undefined),
  },
});
