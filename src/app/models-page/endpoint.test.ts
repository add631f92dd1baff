import { expect, it } from "vitest";
import { hubEndpoint } from "./endpoint.ts";

it.each([
  ["localhost", "?hub=http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ["127.0.0.1", "?hub=http%3A%2F%2Flocalhost%3A8080%2Fx", "http://localhost:8080/x"],
  ["localhost", "", undefined],
  ["localhost", "?hub=nonsense", undefined],
  ["localhost", "?hub=http://hub.example.org", undefined],
  ["localhost", "?hub=http://127.0.0.1.example.org", undefined],
  ["localhost", "?hub=http://127.0.0.1@example.org", undefined],
  ["localhost", "?hub=ftp://127.0.0.1", undefined],
  ["example.org", "?hub=http://127.0.0.1:8080", undefined],
])("a page from %s with %j asks %s", (hostname, search, expected) => {
  expect(hubEndpoint({ hostname, search })).toBe(expected);
});
