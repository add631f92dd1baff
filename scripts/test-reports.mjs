/**
 * @typedef {object} Result
 * @property {number} passed
 * @property {number} failed
 */

/**
 * Counts Vitest's JSON report.
 * @param report undefined if there is none
 * @param {number} status the runner's exit status
 * @returns {Result}
 */
export function vitestResult(report, status) {
  if (!report) return { passed: 0, failed: 1 };
  // A file that cannot even be imported has no tests to count.
  const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  return result(report.numPassedTests, report.numFailedTests + broken.length, status);
}

/** The same for Playwright's. */
export function playwrightResult(report, status) {
  if (!report) return { passed: 0, failed: 1 };
  const { expected, flaky, unexpected } = report.stats;
  return result(expected + flaky, unexpected, status);
}

/** A runner that fails for another reason than a test, or runs nothing, counts as one failure. */
function result(passed, failed, status) {
  return { passed, failed: failed === 0 && (status !== 0 || passed === 0) ? 1 : failed };
}
