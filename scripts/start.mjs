import { installPackages, root } from "./install.mjs";

/** Installs what is missing, then serves the page until it is stopped with Ctrl-C. */
installPackages();
// Vite is there only now.
const { createServer } = await import("vite");
const server = await createServer({ root });
await server.listen();
const [address] = server.resolvedUrls?.local ?? [];
console.log(`R1 Playground: ${address}`);
