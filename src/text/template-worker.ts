/** Entry of the web worker that renders chat templates; a template that will not end is stopped by ending the worker. */
import { renderTemplate } from "./render-template.ts";
import type { TemplateRequest } from "./render-template.ts";

self.onmessage = ({ data }: MessageEvent<TemplateRequest>) => {
  self.postMessage(renderTemplate(data));
};
