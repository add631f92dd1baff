import { describe, expect, it } from "vitest";
import { playwrightResult, vitestResult } from "./test-reports.mjs";

const vitestReport = (numPassedTests, numFailedTests, testResults = []) => ({
  numPassedTests,
  numFailedTests,
  testResults,
});
const playwrightReport = (expected, unexpected, flaky = 0) => ({ stats: { expected, unexpected, flaky, skipped: 0 } });

describe("counting tests", () => {
  it("takes the numbers of a report", () => {
    expect(vitestResult(vitestReport(12, 0), 0)).toEqual({ passed: 12, failed: 0 });
    expect(vitestResult(vitestReport(11, 2), 1)).toEqual({ passed: 11, failed: 2 });
    expect(playwrightResult(playwrightReport(3, 0, 1), 0)).toEqual({ passed: 4, failed: 0 });
    expect(playwrightResult(playwrightReport(3, 2), 1)).toEqual({ passed: 3, failed: 2 });
  });

  it("counts a test file that cannot be imported as failed", () => {
    const files = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{ status: "failed" }] },
      { status: "passed", assertionResults: [{ status: "passed" }] },
    ];
    expect(vitestResult(vitestReport(1, 1, files), 1)).toEqual({ passed: 1, failed: 2 });
  });

  it.each([vitestResult, playwrightResult])(
    "%o: no report, no tests and an unexplained status are failures",
    (read) => {
      const report = (passed) => (read === vitestResult ? vitestReport(passed, 0) : playwrightReport(passed, 0));
      expect(read(undefined, 0)).toEqual({ passed: 0, failed: 1 });
      expect(read(report(0), 0)).toEqual({ passed: 0, failed: 1 });
      expect(read(report(5), 1)).toEqual({ passed: 5, failed: 1 });
    },
  );
});
