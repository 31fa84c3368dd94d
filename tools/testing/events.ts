/** The part of node:test's events that is used here (https://nodejs.org/api/test.html#class-testsstream). */
export type EventData = {
  name: string;
  nesting: number;
  file?: string | undefined;
  /** The test file, where `file` is the module that the test stands in. */
  entryFile?: string | undefined;
  skip?: string | boolean | undefined;
  todo?: string | boolean | undefined;
  message: string;
  duration_ms: number;
  details: { type?: string | undefined; error?: (Error & { failureType?: string | undefined }) | undefined };
};

export type TestEvent = { type: string; data: EventData };
