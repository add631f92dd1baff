import { useSoftwareDriver } from "./driver.ts";

// Tests run on the software driver everywhere, so that their numbers do not depend on the machine;
// R1_TEST_DEVICE=auto runs the same tests on the machine's own GPU.
if (process.env["R1_TEST_DEVICE"] !== "auto") useSoftwareDriver();
