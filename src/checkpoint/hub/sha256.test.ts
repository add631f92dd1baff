import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Sha256 } from "./sha256.ts";

function expected(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("SHA-256", () => {
  it("of nothing and of the standard's examples", async () => {
    expect(await new Sha256().digest()).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const hash = new Sha256();
    hash.update(new TextEncoder().encode("abc"));
    expect(await hash.digest()).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("does not depend on the pieces in which bytes come", async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const hash = new Sha256();
        for (const part of parts) hash.update(part);
        expect(await hash.digest()).toBe(expected(Buffer.concat(parts)));
      }),
    );
  });

  it.each([55, 56, 63, 64, 65, 119, 120, 128, 1_000_003])("of %i bytes that begin anywhere in a buffer", async (n) => {
    const bytes = Uint8Array.from({ length: n + 3 }, (_, i) => (i * 31 + (i >> 9)) & 0xff).subarray(3);
    const hash = new Sha256();
    hash.update(bytes);
    expect(await hash.digest()).toBe(expected(bytes));
  });
});
