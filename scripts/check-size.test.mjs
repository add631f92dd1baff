import { expect, it } from "vitest";
import { initialScripts } from "./check-size.mjs";

const FILES = {
  "index.html": '<script type="module" crossorigin src="./assets/a.js"></script><script>inline()</script>',
  "pages/docs.html": '<script type="module" src="../assets/b.js"></script>',
  "assets/a.js": 'import { b } from "./b.js"; import("./lazy.js"); b();',
  "assets/b.js": 'import "./c.js"; export const b = () => 1;',
  "assets/c.js": 'export { b } from "./b.js";',
};

it("a page's first scripts are its own and what they import at once", () => {
  const read = (path) => FILES[path];
  expect(initialScripts("index.html", read)).toEqual(["assets/a.js", "assets/b.js", "assets/c.js"]);
  expect(initialScripts("pages/docs.html", read)).toEqual(["assets/b.js", "assets/c.js"]);
});
