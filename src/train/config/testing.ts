import { expect } from "vitest";
import { isR1Error } from "../../errors.ts";

/** The action fails with E_OPTION, names the field, and says so in a single line. */
export function expectRefused(action: () => unknown, field: string, message: string | RegExp): void {
  try {
    action();
  } catch (error) {
    if (!isR1Error(error)) throw error;
    expect(error.code).toBe("E_OPTION");
    expect(error.details["field"]).toBe(field);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
    return;
  }
  expect.fail(`${field} was accepted`);
}
