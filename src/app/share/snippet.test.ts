import { expect, it } from "vitest";
import { snippetOf } from "./snippet.ts";

it("a snippet is one frame with the rights it needs, and its address cannot break out", () => {
  const src = 'https://example.org/embed.html?v=1&draft="><script>alert(1)</script>';
  const html = snippetOf({ src, title: "R1", height: 480 });
  expect(html).toMatch(/^<iframe src="https:\/\/example\.org\/embed\.html\?v=1&amp;draft=&quot;&gt;&lt;script&gt;/);
  expect(html).not.toContain("<script");
  expect(html).toContain('sandbox="allow-scripts allow-same-origin allow-popups allow-downloads"');
  expect(html).toContain('height="480"');
  expect(html).toMatch(/><\/iframe>$/);
});
