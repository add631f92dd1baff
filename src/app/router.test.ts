import { describe, expect, it } from "vitest";
import { hrefOf, parseRoute } from "./router.ts";

describe("routes", () => {
  it.each([
    ["", "playground", ""],
    ["#", "playground", ""],
    ["#/lab", "lab", ""],
    ["#lab?task=addition", "lab", "task=addition"],
    ["#/elsewhere?x=1", "playground", "x=1"],
    ["#/__proto__", "playground", ""],
  ])("%s is the page %s with the query “%s”", (hash, page, query) => {
    const route = parseRoute(hash);
    expect(route.page).toBe(page);
    expect(route.query.toString()).toBe(query);
  });

  it("are written as they are read", () => {
    const query = new URLSearchParams({ question: "2 + 3 & more?" });
    const route = parseRoute(hrefOf("learn", query));
    expect(route).toEqual({ page: "learn", query });
    expect(hrefOf("lab")).toBe("#/lab");
  });
});
