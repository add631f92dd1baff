import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses, so that the built page works from any folder of any server.
  base: "./",
  plugins: [react(), tailwind()],
  // Another port where 5173 is taken; `npm start` prints the one it found.
  server: { strictPort: false },
  worker: { format: "es" },
  build: {
    target: "esnext",
    // A font within the style sheet would have a data address, which the content security policy does not allow.
    assetsInlineLimit: (file) => (/\.(woff2?|ttf)$/.test(file) ? false : undefined),
  },
});
