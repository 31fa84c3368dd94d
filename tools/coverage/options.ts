/** The options of `npm run test:coverage`; docs/assurance.md says what they do. */
export const coverageOptions = { json: { type: "string" } } as const;
