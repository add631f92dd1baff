/** Entry of the Node process that renders chat templates; bundled into `template-worker-node.mjs`. */
import { renderTemplate } from "../render-template.ts";
import type { TemplateRequest } from "../render-template.ts";

process.on("message", (request: TemplateRequest) => {
  process.send?.(renderTemplate(request));
});
